// Package content tells whether a message that comes with a known id is the one that was
// sent under it.
//
// A [Print] is short hashes of what recipients get and how: one for each field or group
// of fields, so that a difference has a name. Ids and times are not in it, and neither is
// the priority: they say when a mail leaves. Four octets are enough, because two prints are
// compared of one id alone.
//
// The hashes are keyed: who reads Redis could else try every code that a mail may hold.
// The installation's key lies in Redis, too, so that the keys for which mails are sealed
// are mixed in, which do not. Prints of different keys cannot be compared; each begins
// with a mark of its key.
package content
