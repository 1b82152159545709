package quota

import (
	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// overhead is what Redis keeps of a mail beside its texts: the ledger's record, asynq's
// task, and where they are listed.
const overhead = 1536

// Weight is the bytes that a job counts: all of its texts and attachments, and what
// Redis needs beside them. An attachment that other mails have, too, counts for each.
// Contents count only as long as the job has them, before they are blobs.
func Weight(job *payload.Job) int64 {
	n := overhead + len(job.Text) + len(job.HTML) + len(job.Subject)
	n += 2 * len(job.MessageID) // in task and record, as what follows
	for key, value := range job.Metadata {
		n += 2 * (len(key) + len(value))
	}
	for _, list := range [][]rohrpost.Address{job.To, job.Cc, job.Bcc, job.ReplyTo} {
		for _, a := range list {
			n += 2*len(a.Address) + len(a.Name)
		}
	}
	for _, h := range job.Headers {
		n += len(h.Name) + len(h.Value)
	}
	for _, a := range job.Attachments {
		n += len(a.Name) + len(a.ContentType) + len(a.Content)
	}
	if job.Calendar != nil {
		n += len(job.Calendar.Content)
	}
	n += len(job.Raw)
	for _, f := range job.Files {
		n += len(f.Name) + len(f.ContentType)
	}
	return int64(n)
}
