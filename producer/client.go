package producer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
)

// The errors that applications ask for with errors.Is. A message that is refused
// has rohrpost.FieldErrors.
var (
	// ErrNotFound says that no job of this id is known (any more). To a bound client,
	// another tenant's is not.
	ErrNotFound = errors.New("no such job")
	// ErrAmbiguous says that several tenants have a job of this id: ForTenant tells
	// which is meant. An AmbiguousError has their names.
	ErrAmbiguous = errors.New("several tenants have a mail of this id")
	// ErrFinal says that the job has ended: it cannot be canceled or rescheduled.
	ErrFinal = ledger.ErrFinal
	// ErrSending says that a worker has the mail in hand at this moment.
	ErrSending = ledger.ErrSending
	// ErrNothingToRetry says that the mail was accepted or canceled.
	ErrNothingToRetry = ledger.ErrNothingToRetry
	// ErrContentGone says that the job is known and its mail is not kept any more:
	// of failed mails, the queue keeps the latest 10,000 of each priority.
	ErrContentGone = errors.New("its content is not kept any more")
)

// DefaultMaxSize is the largest mail that is taken: 25 MiB, the limit of most
// providers, measured about as sent (base64 adds a third to attachments).
const DefaultMaxSize = accept.DefaultMaxSize

// Options of a Client. The zero value is the default.
type Options struct {
	// MaxSize of a mail in bytes, as sent; 0: DefaultMaxSize.
	MaxSize int64
	// MessageIDDomain is the right side of every Message-ID. Empty: the domain of the
	// sender, which is known when the mail leaves for the first time: until then
	// Receipt and Status have no MessageID.
	MessageIDDomain string
	// RequireUnsubscribe refuses a mail of the category Marketing, or of the priority
	// Bulk, without Unsubscribe. False: its Receipt has a Warning.
	RequireUnsubscribe bool
	// Keep is how long the ledger remembers an ended job; 0: 48 hours. It must be
	// that of the workers.
	Keep time.Duration
	// WaitingMailsPerTenant and WaitingBytesPerTenant bound what waits for one tenant,
	// as limits.waiting_mails_per_tenant and limits.waiting_bytes_per_tenant do for the
	// command line: a mail counts from its Send until it has ended, with all of its
	// texts and attachments. Beyond that, Send fails with ErrQuota. 0: 200,000 mails and
	// 4 GiB; negative: no limit.
	WaitingMailsPerTenant int64
	WaitingBytesPerTenant int64
	// NotBeforeMax and ExpiresMax are how far ahead the times of a message may be, also
	// one of Reschedule. 0: 90 days; negative: any time.
	NotBeforeMax time.Duration
	ExpiresMax   time.Duration
	// KeepSubject keeps the subject of each mail in its record, for the pages, as long as
	// the record stays. With Recipients it is sealed, which takes 400 bytes a mail more.
	KeepSubject bool
	// Recipients are the public keys of the workers (age1…). With one, subject,
	// headers, bodies and attachments are sealed for them, and nobody reads them in
	// Redis, its AOF or a copy of either. Empty: they stand there in clear.
	Recipients []string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Client enqueues mails. It is safe for concurrent use.
type Client struct {
	rdb     redis.UniversalClient
	owned   io.Closer // what Close closes; nil: the caller's client
	rules   accept.Rules
	ledger  *ledger.Ledger
	blobs   *blob.Store
	tasks   *queue.Inspector
	quota   *quota.Counter
	returns *quota.Returns
	index   *mailindex.Index
	becomes *mailindex.Gatherer
	memory  *headroom.Gauge
	sealer  *envelope.Sealer // nil: mails are not sealed
	subject bool             // it is kept
	purpose string           // of the key of fingerprints
	now     func() time.Time
}

// Open connects to Redis; for the forms of the URL see the README. It fails when
// Redis does not answer within five seconds, with one line that has no password.
func Open(url string) (*Client, error) {
	rdb, err := redisconn.Open(redisconn.Options{URL: url, ClientName: "rohrpost-producer"})
	if err != nil {
		return nil, err
	}
	c, err := New(rdb, Options{})
	if err == nil {
		err = redisconn.Ping(context.Background(), rdb)
	}
	if err != nil {
		_ = rdb.Close()
		return nil, err
	}
	c.owned = rdb
	return c, nil
}

// New makes a client on a connection of the application's own, which Close
// leaves open. It does no I/O.
func New(rdb redis.UniversalClient, o Options) (*Client, error) {
	rules, rulesErr := accept.New(accept.Options{
		MaxSize: o.MaxSize, Domain: o.MessageIDDomain, NotBefore: o.NotBeforeMax, Expires: o.ExpiresMax,
		RequireUnsubscribe: o.RequireUnsubscribe,
	})
	waiting, quotaErr := quota.New(quota.Options{Redis: rdb, Limits: o.quotas(), Now: o.Now})
	returns := quota.NewReturns(waiting)
	l, ledgerErr := ledger.New(ledger.Options{Redis: rdb, Keep: o.Keep, Now: o.Now, Waits: returns.Change})
	index, indexErr := mailindex.New(mailindex.Options{Redis: rdb, Keep: o.Keep, Now: o.Now})
	if err := errors.Join(rulesErr, quotaErr, ledgerErr, indexErr); err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	c := &Client{
		rdb:     rdb,
		rules:   rules,
		ledger:  l,
		blobs:   blob.New(rdb),
		tasks:   queue.NewInspector(rdb),
		quota:   waiting,
		returns: returns,
		index:   index,
		becomes: mailindex.NewGatherer(index),
		subject: o.KeepSubject,
		purpose: purposeOf(o.Recipients),
		memory:  headroom.New(headroom.Options{Redis: rdb, Now: o.Now}),
		now:     o.Now,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if len(o.Recipients) > 0 {
		var err error
		if c.sealer, err = envelope.NewSealer(o.Recipients, c.now); err != nil {
			return nil, fmt.Errorf("producer: %w", err)
		}
	}
	return c, nil
}

// Status tells what has become of a job. The error is ErrNotFound, ErrAmbiguous, or
// Redis's.
func (c *Client) Status(ctx context.Context, id string) (rohrpost.Status, error) {
	record, err := c.locate(ctx, id)
	if err != nil {
		return rohrpost.Status{}, jobError(id, err)
	}
	return record.Status, nil
}

// Cancel ends a job before its final dot, or gives up one that is held as uncertain.
// Recipients who have the mail already keep it. The error is ErrNotFound,
// ErrAmbiguous, ErrFinal, ErrSending, or Redis's.
func (c *Client) Cancel(ctx context.Context, id string) error {
	record, err := c.locate(ctx, id)
	if err != nil {
		return jobError(id, err)
	}
	name, err := c.ledger.Cancel(ctx, record.Key)
	if err == nil {
		c.became(record, canceled(record), c.ledger.Canceled())
	}
	c.tally(ctx)
	if err != nil {
		return jobError(id, err)
	}
	if name != "" {
		c.tidy(ctx, queue.Ref{Queue: name, ID: string(record.Key)})
	}
	return nil
}

// tidy takes the content of a canceled mail away; the ledger alone stops it. A task that
// a worker holds cannot be deleted and ends by itself.
func (c *Client) tidy(ctx context.Context, ref queue.Ref) {
	task, err := c.tasks.Task(ref)
	if err != nil || c.tasks.Delete(ref) != nil {
		return
	}
	if job, err := payload.Decode(task.Payload); err == nil {
		_ = c.blobs.Leave(ctx, blob.UseOf(job)) // else they end by their time
	}
}

// Close closes the connection that Open made; that of a bound client does nothing.
func (c *Client) Close() error {
	if c.owned == nil {
		return nil
	}
	return c.owned.Close()
}

func jobError(id string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ledger.ErrUnknown) {
		err = ErrNotFound
	}
	return fmt.Errorf("job %q: %w", id, err)
}
