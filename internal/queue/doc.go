// Package queue is the one door to asynq: the names of the three queues, the form of
// a task, the [Pool] of workers, the [Inspector] of what waits, and two wrappers
// around the Redis client that asynq is given.
//
// [Recorder] lets asynq's own Enqueue write to a recording instead of Redis,
// so that a thousand tasks and their ledger records travel in one pipeline.
//
// [Client] stands between an asynq Server and Redis. It fetches as many tasks at
// once as there are free workers, waits for a wake-up instead of polling an
// empty queue, and lets an acknowledgement outlive the context that asynq has
// already cancelled, so that a short outage of Redis does not send a mail twice.
package queue
