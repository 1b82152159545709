// Package smtp hands a composed mail to an account's server and says what
// became of it, recipient by recipient.
//
// [Transport.Send] takes a connection from a pool (per account and version of
// its settings), or opens one: go-mail's smtp.Client for the greeting, then EHLO,
// STARTTLS and login here, with go-mail's mechanisms or with an access token,
// which is replaced once if it is refused. Before a connection is opened, the
// account's [Guard] gives a lease for it, so that all workers together open no more
// than the account may have, and a password that nobody has used yet is tried by
// one alone. A mail that finds no connection within a moment gets transport.ErrBusy. The
// transaction is our own: MAIL, RCPT and DATA leave in one write where the server
// pipelines, refused recipients are noted and the accepted ones get the mail,
// deadlines are per command (RFC 5321 §4.5.3.2), and the reply to the final dot is
// final.
//
// Whatever goes wrong is a verdict with a failure.Failure, never an error. What
// breaks before the final dot is safe to repeat; after it, it is uncertain.
package smtp
