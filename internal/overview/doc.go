// Package overview answers whether all is well, for everybody's mails or a tenant's: what
// waits and until when, queues that are paused, workers that run, what operators have to
// approve, and what the last 24 hours were like.
//
// It asks for nothing that grows with the number of accounts, and everything at once. What
// Redis does not tell in time is named, and the rest is shown.
package overview
