// Package worker takes mails out of the queue and decides what becomes of them.
//
// The way of one task, file by file:
//
//	worker.go    Start and Stop: asynq servers, wake-ups, the sweeper
//	handler.go   a task becomes a job; panics and unknown payloads end here
//	attempt.go   one attempt: look, resolve, compose, hand over
//	outcome.go   verdicts become a state, a next time, a settlement
//	entry.go     what failed becomes entries of the error log
//	retry.go     when to try again: a pure function
//	sweep.go     tasks that asynq archived without telling anybody
//
// asynq carries the tasks; it decides nothing. Attempts and age are counted in
// the ledger, deferrals are errors with a delay of their own, and a task whose
// job has ended is acknowledged without a second look at the mail.
package worker
