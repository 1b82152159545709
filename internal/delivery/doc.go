// Package delivery takes mails out of the queue and decides what becomes of them.
//
// The way of one task, file by file:
//
//	worker.go    Start and Stop: the pool of workers and the background loops
//	handler.go   a task becomes a job; unknown payloads end here
//	attempt.go   one attempt: what the record says, who is to be tried
//	deliver.go   resolve, ask the dispatcher, compose, hand over
//	content.go   blobs are put back, sealed mails opened
//	portion.go   a mail to more recipients than may go at a time
//	outcome.go   verdicts become a state, a settlement, an answer to the queue
//	waiting.go   until when a mail waits
//	expired.go   the time of a mail was over while it waited
//	retry.go     when to try again: a pure function
//	ends.go      what is left of a mail that has ended
//	entry.go     what failed becomes entries of the error log
//
// Beside it:
//
//	leader.go    what one process does for all, in turns
//	sweep.go     tasks that asynq archived without telling anybody
//	reconcile.go whether every mail is in exactly one place
//
// asynq carries the tasks; it decides nothing. Attempts and age are counted in
// the ledger, deferrals are errors with a delay of their own, and a task whose
// job has ended is acknowledged without a second look at the mail.
package delivery
