// Package gate says whether an account may send now.
//
// An account whose login was refused is parked: its mails wait, and nobody logs
// in again with the same settings, for a wrong password that is tried again and
// again locks the mailbox. New settings have another fingerprint and are free at
// once; a test mail that went out, or an operator, releases the account too.
//
// Who is parked stands in one small hash in Redis. Every process holds a copy of
// it in memory, so that asking costs no round trip.
package gate
