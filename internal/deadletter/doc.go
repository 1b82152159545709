// Package deadletter bounds what mails that have failed leave in Redis. Their content
// stays for a retry by hand: the task in asynq's archive, attachments and large bodies
// as blobs. Nobody waits for them, so they do not count for the tenant's quota; instead a
// tenant has so many bytes of them, and the oldest go first.
package deadletter
