// Package gate says whether a mail may leave through its account now, and wakes
// the mails that had to wait.
//
// Three things stand in a mail's way. A [Notice] closes an account or a server:
// parked after a refused login, until somebody mends the settings; slow after the
// provider asked for a pause; down when a server cannot be reached. Notices stand
// in one small hash in Redis with a copy in every process, so that asking costs no
// round trip. Rates ([Limits]) are counted in Redis, for the accounts that have
// any. And a process takes no more mails of an account in hand than it has
// connections for; connections are shared out by [Leases].
//
// What a recipient's server may have said is hearsay: it stops the mails of the tenant
// to whom it was said, outside the room, and never a shared account.
//
// What may not go waits in the room of its account, in Redis. [Gate.Serve] takes
// mails out as soon as there is a place for them, in whichever process it is.
package gate
