// Package accounts manages sender accounts, for the command line and for the pages of
// administrators.
//
// A [Service] explains who would send a mail, sends test mails and examines servers with
// stored or unsaved settings. It connects mailboxes with OAuth2: BeginConnect gives the
// address of the provider's sign-in page, CompleteConnect takes what comes back.
//
// It also keeps the life of an account going: a test mail that went out checks the
// settings and frees an account that was parked, and so do new settings. What it answers
// to administrators holds result codes and hints, never the text of a foreign server;
// operators see that too.
package accounts
