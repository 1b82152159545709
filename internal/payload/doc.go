// Package payload is a mail as it waits in the queue: a [Job], the bytes that stand
// for it in Redis, and the [Key] under which its task and its record are found.
//
// A producer calls [Encode], a worker calls [Decode]. The first line of a payload is
// JSON and starts with its version; the bodies, or what is sealed, follow as raw bytes.
// Decode reads every version up to [Version], so a worker is never older than the
// payloads that it can read.
//
// Attachments and large bodies are blobs, outside the payload: [Job.Blobs] lists them.
//
// The package imports the standard library and the domain only.
package payload
