package producer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
)

var (
	// ErrSealed says that what the mail says is sealed for its recipients and the workers
	// (Options.Recipients): the application alone can address it anew.
	ErrSealed = errors.New("what it says is sealed for its recipients: let the application send it again")
	// ErrNotFailed says that the address is no recipient whom the mail has failed to reach.
	ErrNotFailed = errors.New("the mail has not failed for this recipient")
)

// CanCorrect is nil if SendCorrected would send a copy of a mail that has ended, in place of
// this recipient. The error is ErrNotFailed, ErrSealed, ErrContentGone, ErrSending,
// ErrNotFound, ErrAmbiguous, or Redis's.
func (c *Client) CanCorrect(ctx context.Context, id, failed string) error {
	_, err := c.correctable(ctx, id, failed)
	return err
}

// correctable is the task of a mail of which a copy can be sent.
func (c *Client) correctable(ctx context.Context, id, failed string) (*task, error) {
	record, err := c.locate(ctx, id)
	if err != nil {
		return nil, jobError(id, err)
	}
	t, err := c.find(ctx, record, func(r *ledger.Record) error { return unreached(r, failed) })
	if err == nil && t.job.Sealed != nil {
		err = ErrSealed
	}
	if err != nil {
		return nil, jobError(id, err)
	}
	return t, nil
}

// SendCorrected sends a copy of a mail that has ended to a corrected address, in place of
// one of its recipients who have not got it, and to nobody else. The copy is a mail of its
// own, with an id that follows from both, so that a second call for the same address
// sends nothing (Receipt.Duplicate). The record of the original stays as it is.
//
// The error is rohrpost.FieldErrors for the address, ErrNotFailed, ErrSealed, ErrQuota,
// ErrContentGone, ErrNotFound, ErrAmbiguous, or Redis's.
func (c *Client) SendCorrected(ctx context.Context, id, failed, corrected string) (rohrpost.Receipt, error) {
	t, err := c.correctable(ctx, id, failed)
	if err != nil {
		return rohrpost.Receipt{}, err
	}
	e, err := c.copyTo(t, failed, strings.TrimSpace(corrected))
	if err != nil {
		return rohrpost.Receipt{}, err
	}
	use := blob.UseOf(e.job)
	err = c.blobs.Prolong(ctx, use.User, c.ledger.Horizon(e.job), use.Digests...)
	if errors.Is(err, blob.ErrMissing) {
		err = ErrContentGone
	}
	if err != nil {
		return rohrpost.Receipt{}, jobError(id, err)
	}
	p := portion{client: c, entries: []*entry{e}, size: e.weight, clear: true}
	p.send(ctx)
	return e.result.Receipt, e.result.Err
}

// unreached refuses a job that has not ended, or not failed for a recipient.
func unreached(r *ledger.Record, address string) error {
	if !r.State.Final() {
		return ErrNotFailed
	}
	for _, s := range r.Recipients {
		if s.Address == address && (s.State == rohrpost.RecipientFailed || s.State == rohrpost.RecipientBounced) {
			return nil
		}
	}
	return ErrNotFailed
}

// copyTo is the copy of a mail for another address. What is too large for a payload it
// shares with the original.
func (c *Client) copyTo(t *task, failed, corrected string) (*entry, error) {
	original := t.job
	m := original.Message
	m.ID = copyID(original.ID, corrected)
	m.To = []rohrpost.Address{{Name: nameOf(&m, failed), Address: corrected}}
	m.Cc, m.Bcc = nil, nil
	m.NotBefore, m.Expires = time.Time{}, time.Time{} // those of the original are over
	text, html := m.Text, m.HTML
	m.Text, m.HTML = "-", "" // they were accepted with the original, and may be elsewhere
	job, err := c.rules.Job(&m, c.now())
	if err != nil {
		return nil, err
	}
	job.Text, job.HTML, job.TextDigest, job.HTMLDigest = text, html, original.TextDigest, original.HTMLDigest
	job.Files = original.Files
	return &entry{job: job, ownID: true, nonce: accept.NewID(), weight: quota.Weight(job), result: &Result{}}, nil
}

// nameOf is the display name of a recipient.
func nameOf(m *rohrpost.Message, address string) string {
	for _, list := range [...][]rohrpost.Address{m.To, m.Cc, m.Bcc} {
		for _, a := range list {
			if a.Address == address {
				return a.Name
			}
		}
	}
	return ""
}

// copyMark stands in the id of a copy between that of the original and a digest of the
// corrected address.
const (
	copyMark   = "~to~"
	copyDigest = 10 // hex digits
	maxID      = 256
)

func copyID(id, corrected string) string {
	digest := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	if len(id)+len(copyMark)+copyDigest > maxID {
		id = digest(id)
	}
	return fmt.Sprintf("%s%s%s", id, copyMark, digest(strings.ToLower(corrected))[:copyDigest])
}

// OriginalOf is the id of the mail of which another is a copy to a corrected address, by
// the id of the copy; empty: it is none, or the original's id was too long.
func OriginalOf(id string) string {
	at := strings.LastIndex(id, copyMark)
	if at < 0 || len(id)-at != len(copyMark)+copyDigest {
		return ""
	}
	return id[:at]
}
