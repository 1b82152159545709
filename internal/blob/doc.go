// Package blob keeps attachments and large bodies beside the queue, under the
// SHA-256 of their bytes: the same file in a thousand mails is stored once, and
// asynq, which rewrites the payload of an active task every five seconds, never
// touches it. A blob ends with the last mail that needs it, or by its TTL, which each of
// them prolongs.
package blob
