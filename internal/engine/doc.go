// Package engine puts together what sends: the accounts, the ways to mail servers and
// the pool of workers. There is one set of wiring: the program fills it with its
// configuration (internal/app), packages worker and server with what an application
// has.
//
//	engine.go    the parts in order, their clean-ups in reverse
//	options.go   what the parts are made of; all faults at once
//	assemble.go  the parts, made of the options
//	accounts.go  the accounts, and what keeps them up to date
//	worker.go    the pool of workers, and what it tells of itself
//	presence.go  that this worker lives
//	trial.go     test mails for pages in other processes
//	notice.go    tells administrators of accounts that stop
package engine
