// Package backlog keeps the mails that wait for their account, in Redis.
//
// Each account has a backlog of its own, by priority and arrival. A worker enqueues a
// mail that may not go now, and receives mails when it has room for them, as with
// SQS or NSQ: a received mail is in flight, which its receipt names; the worker
// acknowledges it (Ack) or returns it (Nack), and one of which nothing is heard within
// the visibility timeout of a minute returns by itself. The task of a waiting mail
// stays with asynq, at a late time: a backlog that is lost costs time, no mail.
//
// The rates of accounts with limits are counted beside their backlogs.
package backlog
