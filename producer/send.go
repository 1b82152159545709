package producer

import (
	"context"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
)

const (
	// A batch is cut into portions of at most so many messages, and about so
	// many bytes.
	maxPortion      = 1000
	maxPortionBytes = 4 << 20
)

// An Option changes one Send.
type Option func(*rohrpost.Message)

// WithID sets Message.ID, the idempotency key.
func WithID(id string) Option { return func(m *rohrpost.Message) { m.ID = id } }

// A Result is the verdict on one message of a batch: a receipt, or an error.
type Result struct {
	Receipt rohrpost.Receipt
	Err     error
}

// Send enqueues one message. The error is rohrpost.FieldErrors when the message
// is refused, *QuotaError (ErrQuota) when as much waits as may, and *ConflictError
// (ErrConflict) when another content was sent under its ID: then it is not in the
// queue. Any other error means that Redis did not answer, and that the mail
// may or may not be in the queue: send it again under the ID of the receipt,
// which is set in that case too, and it is there once.
func (c *Client) Send(ctx context.Context, m rohrpost.Message, opts ...Option) (rohrpost.Receipt, error) {
	for _, o := range opts {
		o(&m)
	}
	results := [1]Result{}
	c.sendAll(ctx, []rohrpost.Message{m}, results[:])
	return results[0].Receipt, results[0].Err
}

// SendBatch enqueues many messages in one pipeline for every thousand, and
// answers with one result for each, in their order. The error is nil when all
// were accepted; otherwise it counts the others and wraps the first one's.
func (c *Client) SendBatch(ctx context.Context, messages []rohrpost.Message) ([]Result, error) {
	results := make([]Result, len(messages))
	c.sendAll(ctx, messages, results)
	return results, accept.Summary(len(results), func(i int) error { return results[i].Err })
}

// Check is what Send would say to the message itself, without Redis: rohrpost.FieldErrors,
// or nil. The Receipt has its Warning, and an id only if the message has one.
func (c *Client) Check(m rohrpost.Message) (rohrpost.Receipt, error) {
	job, err := c.rules.Job(&m, c.now())
	if err != nil {
		return rohrpost.Receipt{}, err
	}
	return rohrpost.Receipt{ID: m.ID, MessageID: payload.KnownMessageID(job.MessageID), Warning: accept.Warning(&job.Message)}, nil
}

// sendAll cuts messages into portions.
func (c *Client) sendAll(ctx context.Context, messages []rohrpost.Message, results []Result) {
	for len(messages) > 0 {
		p := portion{client: c}
		n := 0
		for n < len(messages) && n < maxPortion && p.bytes < maxPortionBytes {
			p.add(&messages[n], &results[n])
			n++
		}
		p.send(ctx)
		messages, results = messages[n:], results[n:]
	}
}
