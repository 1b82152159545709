package producertest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
	"github.com/rohrpost/rohrpost/producer/internal/content"
)

// A Recorder is a producer.Client without Redis. It is safe for concurrent use.
type Recorder struct {
	tb    testing.TB
	rules accept.Rules
	*book
}

// A book is what a Recorder and those that are bound to tenants share.
type book struct {
	mu       sync.Mutex
	failures []error
	jobs     map[payload.Key]*record
	order    []*record
}

type record struct {
	message rohrpost.Message
	status  rohrpost.Status
	content content.Print // if the test chose the id
}

// New makes an empty recorder with the client's default options.
func New(tb testing.TB) *Recorder {
	tb.Helper()
	rules, err := accept.New(accept.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return &Recorder{tb: tb, rules: rules, book: &book{jobs: map[payload.Key]*record{}}}
}

// ForTenant is that of producer.Client. What the recorder itself tells a test, as
// Messages and Last, is of that tenant, too; its failures are everybody's.
func (r *Recorder) ForTenant(tenant string) *Recorder {
	return &Recorder{tb: r.tb, rules: r.rules.For(tenant), book: r.book}
}

// Send is that of producer.Client.
func (r *Recorder) Send(_ context.Context, m rohrpost.Message, opts ...producer.Option) (rohrpost.Receipt, error) {
	for _, o := range opts {
		o(&m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.send(&m, r.failure())
}

// SendBatch is that of producer.Client.
func (r *Recorder) SendBatch(_ context.Context, messages []rohrpost.Message) ([]producer.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	failure := r.failure()
	results := make([]producer.Result, len(messages))
	for i := range messages {
		results[i].Receipt, results[i].Err = r.send(&messages[i], failure)
	}
	return results, accept.Summary(len(results), func(i int) error { return results[i].Err })
}

// Status is that of producer.Client.
func (r *Recorder) Status(_ context.Context, id string) (rohrpost.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.locateLocked(id)
	if err != nil {
		return rohrpost.Status{}, err
	}
	return cloneStatus(rec.status), nil
}

// Close does nothing, like that of a client on a foreign connection.
func (r *Recorder) Close() error { return nil }

// Messages are the mails that were accepted and not canceled, in their order,
// each with its ID. They are copies.
func (r *Recorder) Messages() []rohrpost.Message {
	return r.Find(func(rohrpost.Message) bool { return true })
}

// Find is those of Messages that match.
func (r *Recorder) Find(match func(rohrpost.Message) bool) []rohrpost.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []rohrpost.Message
	for _, rec := range r.order {
		if rec.status.State == rohrpost.Canceled || !r.rules.Sees(rec.message.Tenant) {
			continue
		}
		if m := cloneMessage(rec.message); match(m) {
			out = append(out, m)
		}
	}
	return out
}

// Last is the newest of Messages. It ends the test when there is none.
func (r *Recorder) Last() rohrpost.Message {
	r.tb.Helper()
	all := r.Messages()
	if len(all) == 0 {
		r.tb.Fatal("producertest: no mail was sent")
	}
	return all[len(all)-1]
}

// FailNext lets the next Send or SendBatch fail as if Redis were away: nothing
// is recorded, and the error wraps err. Several failures come in their order.
func (r *Recorder) FailNext(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, err)
}

// Amend changes the status of a job as a worker might have. It ends the test
// when there is not exactly one of this id.
func (r *Recorder) Amend(id string, change func(*rohrpost.Status)) {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.locateLocked(id)
	if err != nil {
		r.tb.Fatalf("producertest: %v", err)
		return
	}
	change(&rec.status)
}

func (r *Recorder) failure() error {
	if len(r.failures) == 0 {
		return nil
	}
	err := r.failures[0]
	r.failures = r.failures[1:]
	return err
}

func (r *Recorder) send(m *rohrpost.Message, failure error) (rohrpost.Receipt, error) {
	job, err := r.rules.Job(m, now())
	if err != nil {
		return rohrpost.Receipt{}, err
	}
	if failure != nil {
		return rohrpost.Receipt{ID: job.ID}, fmt.Errorf("enqueue: %w", failure)
	}
	var mine content.Print
	if m.ID != "" {
		mine = content.NewPrinter(nil).Of(job)
	}
	if first, known := r.jobs[job.Key()]; known {
		if fields := mine.Differences(first.content); len(fields) > 0 {
			return rohrpost.Receipt{ID: job.ID}, &producer.ConflictError{ID: job.ID, Fields: fields}
		}
		return rohrpost.Receipt{ID: job.ID, MessageID: first.status.MessageID, Duplicate: true, Warning: accept.Warning(&job.Message)}, nil
	}
	rec := &record{message: cloneMessage(job.Message), status: newStatus(job), content: mine}
	r.jobs[job.Key()] = rec
	r.order = append(r.order, rec)
	return rohrpost.Receipt{ID: job.ID, MessageID: payload.KnownMessageID(job.MessageID), Warning: accept.Warning(&job.Message)}, nil
}

// newStatus is the status of a job that no worker has seen.
func newStatus(job *payload.Job) rohrpost.Status {
	s := rohrpost.Status{
		ID: job.ID, MessageID: payload.KnownMessageID(job.MessageID), Tenant: job.Tenant, State: rohrpost.Queued,
		Queue:      string(cmp.Or(job.Priority, rohrpost.Default)),
		EnqueuedAt: job.EnqueuedAt, Metadata: maps.Clone(job.Metadata),
	}
	for _, address := range job.Recipients() {
		s.Recipients = append(s.Recipients, rohrpost.RecipientStatus{Address: address, State: rohrpost.RecipientWaiting})
	}
	if job.NotBefore.After(job.EnqueuedAt) {
		due := job.NotBefore.UTC().Truncate(time.Millisecond)
		s.State, s.NextAttempt = rohrpost.Scheduled, &due
	}
	return s
}

// locateLocked is the one job that an id stands for.
func (r *Recorder) locateLocked(id string) (*record, error) {
	var found []*record
	ambiguous := &producer.AmbiguousError{}
	for _, rec := range r.order {
		if rec.message.ID == id && r.rules.Sees(rec.message.Tenant) {
			found = append(found, rec)
			ambiguous.Tenants = append(ambiguous.Tenants, rec.message.Tenant)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("job %q: %w", id, producer.ErrNotFound)
	case 1:
		return found[0], nil
	}
	slices.Sort(ambiguous.Tenants)
	return nil, fmt.Errorf("job %q: %w", id, ambiguous)
}

// now is a whole millisecond, as Redis keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func cloneMessage(m rohrpost.Message) rohrpost.Message {
	m.ReplyTo, m.To, m.Cc, m.Bcc = slices.Clone(m.ReplyTo), slices.Clone(m.To), slices.Clone(m.Cc), slices.Clone(m.Bcc)
	m.Headers, m.Metadata = slices.Clone(m.Headers), maps.Clone(m.Metadata)
	m.Attachments = slices.Clone(m.Attachments)
	for i := range m.Attachments {
		m.Attachments[i].Content = bytes.Clone(m.Attachments[i].Content)
	}
	m.Raw = bytes.Clone(m.Raw)
	m.Calendar, m.Unsubscribe = clonePointer(m.Calendar), clonePointer(m.Unsubscribe)
	return m
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	value := *p
	return &value
}

func cloneStatus(s rohrpost.Status) rohrpost.Status {
	s.Recipients, s.Metadata, s.History = slices.Clone(s.Recipients), maps.Clone(s.Metadata), slices.Clone(s.History)
	if s.NextAttempt != nil {
		next := *s.NextAttempt
		s.NextAttempt = &next
	}
	return s
}
