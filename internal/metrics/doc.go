// Package metrics counts what becomes of mails, for Prometheus.
//
// A [Metrics] has a registry of its own and one small method per event, so that
// the worker knows nothing of Prometheus. What is a state and not an event is
// read when Prometheus asks: the sizes of the queues and of the error log from
// Redis, at most once a second, and what the worker and its connections do from
// functions that are handed in.
//
// Labels are few and closed: category of the failure, level of the account,
// queue and state. Never an address, a tenant or a host: whoever may read the
// metrics learns nothing about a customer, and no customer makes a new series.
package metrics
