// Package breaker is the circuit breaker of accounts and mail servers.
//
// What a mail meets keeps the next ones from meeting it, too. A refused login parks the
// account until somebody mends its settings; a server that asks for a pause makes the
// account slow; a server that cannot be reached is down for all accounts that speak to
// it in the same way. When a pause is over one mail tries, in all processes together.
// The states stand in one small hash in Redis with a copy in every process, so that
// asking costs no round trip.
//
// What a recipient's server may have said is hearsay: it blocks the mails of the tenant
// to whom it was said, and never an account that others share.
//
// Mails that have failed for their account's settings without parking it are remembered
// as well (Await). New settings, an accepted test mail or a Reset free them all alike.
package breaker
