// Package accounts is the counter at which sender accounts are managed: the
// command line and the pages for administrators stand on the same side of it.
//
// It explains who would send a mail, sends test mails and examines servers with
// stored or unsaved settings, and keeps the life of an account going: a test mail that went out checks the settings and frees
// an account that was parked. What it answers to administrators holds result
// codes and hints, never the text of a foreign server; operators see that too.
package accounts
