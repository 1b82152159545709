package queue

// wakeChannel is where a producer says that something was enqueued. The keys of
// the queues are asynq's.
const wakeChannel = "rohrpost:wake"

// prefix is how the keys of a queue begin.
func prefix(name string) string { return "asynq:{" + name + "}:" }
