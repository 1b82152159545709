package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// fill opens the message if it is sealed, and puts the contents of the blobs back.
// The error wraps blob.ErrMissing, or is one of package envelope, or of Redis.
func (a *attempt) fill(ctx context.Context) (*rohrpost.Message, error) {
	opened, err := a.w.opener.Open(a.job)
	if err != nil {
		return nil, err
	}
	m := opened.Job.Message
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
	for digest, content := range contents {
		if contents[digest], err = opened.Blob(digest, content); err != nil {
			return nil, err
		}
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

// notFilled is what an error of fill means for the mail; nil: Redis has not answered.
func notFilled(err error) *failure.Failure {
	switch {
	case errors.Is(err, seal.ErrNoIdentity), errors.Is(err, seal.ErrOpen):
		return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: fmt.Errorf("%w: %w", failure.ErrSealed, err)})
	case errors.Is(err, blob.ErrMissing), errors.Is(err, envelope.ErrChanged), errors.Is(err, seal.ErrPurpose), errors.Is(err, rohrpost.ErrPayload):
		return local(failure.ErrMalformed, err.Error())
	}
	return nil
}

// size is about what composing and sending the job takes in memory.
func (a *attempt) size() int64 {
	const perMail, inflation = 16 << 10, 5 // a 20 MiB attachment costs five times that, measured
	size := int64(len(a.job.Text) + len(a.job.HTML))
	if a.job.Sealed != nil {
		size += int64(len(a.job.Sealed.Content))
	}
	for _, f := range a.job.Attachments {
		size += f.Size
	}
	return min(perMail+inflation*size, a.w.opts.MaxBytes)
}
