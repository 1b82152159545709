// Package dashboard is asynqmon as operators see it: it only reads, shows no mail, and
// what its buttons ask for is done through the ledger or refused.
//
//	queues.go   asynqmon, which only reads, hardened
//	front.go    its page, as it is served here
//	redact.go   what it shows of mails
//	deed.go     what its buttons ask for
//	acts.go     how that is done, refused, and written down
//	act.go      one deed to one mail
//	texts.go    what is said about it
package dashboard
