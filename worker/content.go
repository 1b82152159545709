package worker

import (
	"context"

	"github.com/rohrpost/rohrpost"
)

// fill puts the contents of the blobs back into the message.
func (a *attempt) fill(ctx context.Context) (*rohrpost.Message, error) {
	m := a.job.Message
	digests := make([]string, 0, len(m.Attachments)+2)
	for _, d := range [...]string{a.job.TextDigest, a.job.HTMLDigest} {
		if d != "" {
			digests = append(digests, d)
		}
	}
	for _, f := range m.Attachments {
		digests = append(digests, f.Digest)
	}
	contents, err := a.w.blobs.Get(ctx, digests...)
	if err != nil {
		return nil, err
	}
	if a.job.TextDigest != "" {
		m.Text = string(contents[a.job.TextDigest])
	}
	if a.job.HTMLDigest != "" {
		m.HTML = string(contents[a.job.HTMLDigest])
	}
	if len(m.Attachments) > 0 {
		files := make([]rohrpost.Attachment, len(m.Attachments))
		for i, f := range m.Attachments {
			f.Content = contents[f.Digest]
			files[i] = f
		}
		m.Attachments = files
	}
	return &m, nil
}

// size is about what composing and sending the job takes in memory.
func (a *attempt) size() int64 {
	const perMail, inflation = 16 << 10, 5 // a 20 MiB attachment costs five times that, measured
	size := int64(len(a.job.Text) + len(a.job.HTML))
	for _, f := range a.job.Attachments {
		size += f.Size
	}
	return min(perMail+inflation*size, a.w.opts.MaxBytes)
}
