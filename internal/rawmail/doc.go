// Package rawmail makes a message that an application has written itself, header
// and body, ready to leave.
//
// Header lines are edited, never written anew: a field that nobody has to change
// keeps its octets, and so does the body. What must not leave is taken out (Bcc,
// Return-Path, orders to providers), what is missing is added (Message-ID, Date),
// and From is replaced where the account demands it. Line ends become CRLF. Parts
// that a server could not take are encoded, and theirs are the only octets of the
// body that change; a body that is signed or encrypted is left alone or refused.
//
// One walk over the message finds all of that. It refuses whatever could not be
// edited later, so that a message that [Check] takes can leave by every server.
package rawmail
