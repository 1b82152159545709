package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

// fill opens the message if it is sealed, and puts the contents of the blobs back.
// The error wraps blob.ErrMissing, or is one of package envelope, or of Redis.
func (a *attempt) fill(ctx context.Context) (*rohrpost.Message, error) {
	opened, err := a.w.opener.Open(a.job)
	if err != nil {
		return nil, err
	}
	m := opened.Job.Message
	contents, err := a.w.blobs.Get(ctx, a.job.Blobs()...)
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
	for _, f := range opened.Job.Files {
		switch f.Role {
		case payload.Calendar:
			m.Calendar = &rohrpost.Calendar{Method: f.Name, Content: string(contents[f.Digest])}
			continue
		case payload.Raw:
			m.Raw = contents[f.Digest]
			continue
		}
		m.Attachments = append(m.Attachments, rohrpost.Attachment{
			Name: f.Name, ContentType: f.ContentType, ContentID: f.ContentID, Content: contents[f.Digest],
		})
	}
	return &m, nil
}

// notFilled is what an error of fill means for the mail; nil: Redis has not answered.
func notFilled(err error) *failure.Failure {
	switch {
	case errors.Is(err, seal.ErrNoIdentity), errors.Is(err, seal.ErrOpen):
		return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: fmt.Errorf("%w: %w", failure.ErrSealed, err)})
	case errors.Is(err, blob.ErrMissing), errors.Is(err, envelope.ErrChanged), errors.Is(err, seal.ErrPurpose), errors.Is(err, payload.ErrMalformed):
		return local(failure.ErrMalformed, err.Error())
	}
	return nil
}

// memory is about what composing and sending the mail takes, in bytes. Of bodies
// that are blobs it asks Redis for the size. A mail that takes more than there is
// for all of them goes alone.
func (a *attempt) memory(ctx context.Context) (int64, error) {
	load := compose.Load{Text: int64(len(a.job.Text)), HTML: int64(len(a.job.HTML)), NoTextPart: a.job.NoTextPart, Look: compose.Look(a.sender.Branding)}
	if a.job.Sealed != nil { // which of the two it holds is not known yet: HTML takes more
		load.HTML += int64(len(a.job.Sealed.Content))
	}
	for _, body := range []struct {
		digest string
		size   *int64
	}{{a.job.TextDigest, &load.Text}, {a.job.HTMLDigest, &load.HTML}} {
		if body.digest == "" {
			continue
		}
		sizes, err := a.w.blobs.Sizes(ctx, body.digest)
		if err != nil {
			return 0, err
		}
		*body.size = sizes[0]
	}
	for _, f := range a.job.Files {
		load.Files += f.Size
	}
	return min(load.Memory(), a.w.opts.MaxBytes), nil
}
