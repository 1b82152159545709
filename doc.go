// Package rohrpost is the domain of the mail worker: what a mail is, who asked
// for it, and what can become of it.
//
// An application fills a [Message] and hands it to producer.Client. The client
// validates it, puts the large parts aside as blobs and writes a job into a
// Redis queue; [Receipt] says so. A worker reads the job, finds the sender account,
// delivers, and keeps a ledger of what happened to each recipient; [Status] is the
// ledger as an application sees it.
//
// Accepted never means delivered: it means that the next server has taken the
// mail (RFC 5321 §4.2.1, a 250 after the final dot).
//
// The package imports the standard library only and knows no other package of
// the project.
package rohrpost
