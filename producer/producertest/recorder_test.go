package producertest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/producer/producertest"
)

type mailer interface {
	Send(ctx context.Context, m rohrpost.Message, opts ...producer.Option) (rohrpost.Receipt, error)
	SendBatch(ctx context.Context, messages []rohrpost.Message) ([]producer.Result, error)
	Status(ctx context.Context, id string) (rohrpost.Status, error)
	Cancel(ctx context.Context, id string) error
	Retry(ctx context.Context, id string) error
	RetryAll(ctx context.Context, f producer.RetryFilter) ([]string, error)
	Reschedule(ctx context.Context, id string, at time.Time) error
	Close() error
}

var (
	_ mailer = (*producer.Client)(nil)
	_ mailer = (*producertest.Recorder)(nil)
)

func mail(id string) rohrpost.Message {
	return rohrpost.Message{
		ID: id, Tenant: "acme", From: rohrpost.Address{Address: "max@acme.example"},
		To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Rechnung", Text: "Guten Tag",
	}
}

// story is a sequence of calls and all that a mailer answers to them, without
// what no two runs have in common. Most of its mails are of a tenant.
func story(t *testing.T, m mailer, tenant string) []string {
	t.Helper()
	mail := func(id string) rohrpost.Message {
		m := mail(id)
		m.Tenant = tenant
		return m
	}
	ctx := t.Context()
	var out []string
	tell := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	status := func(id string) {
		st, err := m.Status(ctx, id)
		known := fmt.Sprint(!st.EnqueuedAt.IsZero(), !st.UpdatedAt.IsZero(), st.NextAttempt)
		st.EnqueuedAt, st.UpdatedAt, st.NextAttempt = time.Time{}, time.Time{}, nil
		for i := range st.History {
			st.History[i].Time = time.Time{}
		}
		tell("status %s: %+v %s, %v", id, st, known, err)
	}
	send := func(message rohrpost.Message, opts ...producer.Option) {
		r, err := m.Send(ctx, message, opts...)
		tell("send: %+v, %v", r, err)
	}

	send(mail("a"))
	send(mail("x"), producer.WithID("a"))
	send(mail("b:c.."))
	foreign := mail("a")
	foreign.Tenant = "other"
	send(foreign)
	send(rohrpost.Message{ID: "-", Subject: "a\nb"})
	large := mail("large")
	large.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 20<<20)}}
	send(large)
	later := mail("later")
	later.NotBefore = time.Date(2100, 1, 1, 0, 0, 0, 987654321, time.FixedZone("", 3600))
	later.Cc = []rohrpost.Address{{Address: "zwei@example.org"}, {Address: "kunde@EXAMPLE.org"}}
	later.Metadata = map[string]string{"k": "v"}
	send(later)
	for _, id := range []string{"a", "b:c..", "later", "large", "unknown"} {
		status(id)
	}

	results, err := m.SendBatch(ctx, []rohrpost.Message{mail("d"), {}, mail("d"), foreign, mail("e")})
	for _, r := range results {
		tell("batch: %+v", r)
	}
	tell("batch: %v", err)
	results, err = m.SendBatch(ctx, nil)
	tell("empty batch: %d %v", len(results), err)

	at := time.Date(2050, 1, 1, 0, 0, 0, 1, time.FixedZone("", 3600))
	for _, id := range []string{"d", "d", "later", "unknown"} {
		tell("reschedule %s: %v", id, m.Reschedule(ctx, id, at))
		status(id)
	}
	tell("reschedule to the past: %v", m.Reschedule(ctx, "d", time.Unix(1, 0)))
	for _, id := range []string{"d", "d", "later", "unknown"} {
		tell("retry %s: %v", id, m.Retry(ctx, id))
		status(id)
	}
	for _, f := range []producer.RetryFilter{{DryRun: true}, {Tenant: "acme"}} {
		ids, err := m.RetryAll(ctx, f)
		tell("retry all: %q, %v", ids, err)
	}

	for _, id := range []string{"a", "a", "later", "unknown"} {
		err := m.Cancel(ctx, id)
		tell("cancel %s: %v %v %v", id, err, errors.Is(err, producer.ErrFinal), errors.Is(err, producer.ErrNotFound))
		status(id)
	}
	tell("retry a: %v", m.Retry(ctx, "a"))
	tell("reschedule a: %v", m.Reschedule(ctx, "a", at))
	send(mail("a"))
	other := mail("a")
	other.Subject, other.To = "another", append(other.To, rohrpost.Address{Address: "more@example.org"})
	send(other)
	_, err = m.Send(ctx, other)
	tell("another a: %v %v", err, errors.Is(err, producer.ErrConflict))
	send(mail("path/a@b+c=d"))
	random, err := m.Send(ctx, mail(""))
	tell("random: %d %v %v %v", len(random.ID), random.MessageID == "<"+random.ID+"@acme.example>", random.Duplicate, err)
	tell("close: %v", m.Close())
	return out
}

// The recorder and the client on a real Redis tell the same story.
func TestLikeTheClient(t *testing.T) {
	t.Parallel()
	client, err := producer.New(redistest.Start(t).Client(t), producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(story(t, client, "acme"), story(t, producertest.New(t), "acme")); diff != "" {
		t.Errorf("(-client +recorder):\n%s", diff)
	}
}

// So do those that are bound to a tenant, beside the same mails of another.
func TestBoundLikeTheClient(t *testing.T) {
	t.Parallel()
	client, err := producer.New(redistest.Start(t).Client(t), producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	recorder := producertest.New(t)
	for _, tenant := range []string{"acme", "other", ""} {
		want, got := story(t, client.ForTenant(tenant), tenant), story(t, recorder.ForTenant(tenant), tenant)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-client +recorder):\n%s", tenant, diff)
		}
	}
	for _, id := range []string{"d", "unknown"} {
		_, want := client.Status(t.Context(), id)
		if _, err := recorder.Status(t.Context(), id); err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, the client says %v", id, err, want)
		}
	}
}

// What a test asks a bound recorder is about its tenant.
func TestBoundRecorder(t *testing.T) {
	t.Parallel()
	rec := producertest.New(t)
	acme, other := rec.ForTenant("acme"), rec.ForTenant("other")
	for i, r := range []*producertest.Recorder{acme, other} {
		m := mail("a")
		m.Tenant, m.Subject = "", fmt.Sprint("Nr. ", i)
		if _, err := r.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	acme.Amend("a", func(s *rohrpost.Status) { s.State = rohrpost.Failed })
	if st, err := other.Status(t.Context(), "a"); err != nil || st.State != rohrpost.Queued {
		t.Errorf("%+v, %v", st, err)
	}
	if got := acme.Last(); got.Subject != "Nr. 0" || got.Tenant != "acme" || len(acme.Messages()) != 1 || len(rec.Messages()) != 2 {
		t.Errorf("%+v of %d and %d", got, len(acme.Messages()), len(rec.Messages()))
	}
	rec.FailNext(errors.New("away"))
	if _, err := acme.Send(t.Context(), mail("b")); err == nil {
		t.Error("the failure was not everybody's")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	rec := producertest.New(t)
	if got := rec.Messages(); len(got) != 0 {
		t.Errorf("an empty recorder has %+v", got)
	}
	content, metadata := []byte("abc"), map[string]string{"k": "v"}
	m := mail("")
	m.Attachments, m.Metadata = []rohrpost.Attachment{{Name: "a", Content: content}}, metadata
	first, err := rec.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	content[0], metadata["k"], m.To[0].Address = 'x', "changed", "changed"
	rec.Messages()[0].Attachments[0].Content[1] = 'x'

	if _, err := rec.SendBatch(t.Context(), []rohrpost.Message{mail("two"), {}, mail("two"), mail("three")}); err == nil {
		t.Error("the empty message was accepted")
	}
	all := rec.Messages()
	if len(all) != 3 || all[0].ID != first.ID || all[1].ID != "two" || all[2].ID != "three" {
		t.Fatalf("messages %+v", all)
	}
	if got := all[0]; string(got.Attachments[0].Content) != "abc" || got.Metadata["k"] != "v" || got.To[0].Address != "kunde@example.org" {
		t.Errorf("the record changed with the caller's message: %+v", got)
	}
	if got := rec.Last(); got.ID != "three" {
		t.Errorf("Last is %+v", got)
	}
	if err := rec.Cancel(t.Context(), "three"); err != nil {
		t.Fatal(err)
	}
	if got := rec.Last(); got.ID != "two" {
		t.Errorf("Last is %+v after the newest was canceled", got)
	}
	found := rec.Find(func(m rohrpost.Message) bool { return m.ID == "two" || m.ID == "three" })
	if len(found) != 1 || found[0].ID != "two" {
		t.Errorf("Find: %+v", found)
	}
}

func TestFailNext(t *testing.T) {
	t.Parallel()
	rec := producertest.New(t)
	away, slow := errors.New("away"), errors.New("slow")
	rec.FailNext(away)
	rec.FailNext(slow)
	r, err := rec.Send(t.Context(), mail("a"))
	if !errors.Is(err, away) || err.Error() != "enqueue: away" || r != (rohrpost.Receipt{ID: "a"}) {
		t.Errorf("got %+v, %v", r, err)
	}
	results, err := rec.SendBatch(t.Context(), []rohrpost.Message{mail(""), {}, mail("b")})
	if !errors.Is(err, slow) || !errors.Is(results[0].Err, slow) || !errors.Is(results[2].Err, slow) || results[0].Receipt.ID == "" {
		t.Errorf("got %+v, %v", results, err)
	}
	if !errors.As(results[1].Err, new(rohrpost.FieldErrors)) {
		t.Errorf("a malformed message fails with %v", results[1].Err)
	}
	if got := rec.Messages(); len(got) != 0 {
		t.Errorf("recorded %+v", got)
	}
	if r, err := rec.Send(t.Context(), mail("a")); err != nil || r.Duplicate {
		t.Errorf("sent again: %+v, %v", r, err)
	}
}

func TestAmend(t *testing.T) {
	t.Parallel()
	rec := producertest.New(t)
	if _, err := rec.Send(t.Context(), mail("a")); err != nil {
		t.Fatal(err)
	}
	rec.Amend("a", func(s *rohrpost.Status) { s.State = rohrpost.Sending })
	if err := rec.Cancel(t.Context(), "a"); !errors.Is(err, producer.ErrSending) {
		t.Errorf("Cancel: %v", err)
	}
	rec.Amend("a", func(s *rohrpost.Status) {
		s.State, s.Attempts = rohrpost.Deferred, 1
		s.Recipients[0] = rohrpost.RecipientStatus{Address: s.Recipients[0].Address, State: rohrpost.RecipientAccepted, Code: 250}
	})
	st, err := rec.Status(t.Context(), "a")
	if err != nil || st.State != rohrpost.Deferred || st.Attempts != 1 || st.Recipients[0].Code != 250 {
		t.Errorf("got %+v, %v", st, err)
	}
	st.Recipients[0].Code = 1
	if again, _ := rec.Status(t.Context(), "a"); again.Recipients[0].Code != 250 {
		t.Error("a status is not a copy")
	}
	if err := rec.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if st, _ := rec.Status(t.Context(), "a"); st.State != rohrpost.Partly {
		t.Errorf("state %s", st.State)
	}
	if got := rec.Messages(); len(got) != 1 {
		t.Errorf("the mail that one recipient has is not there: %+v", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	rec := producertest.New(t)
	const senders = 50
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for _, id := range []string{"one", ""} {
				if _, err := rec.Send(t.Context(), mail(id)); err != nil {
					t.Error(err)
				}
			}
			_, _ = rec.Status(t.Context(), "one")
			rec.Messages()
		})
	}
	wg.Wait()
	if got := len(rec.Messages()); got != senders+1 {
		t.Errorf("%d messages", got)
	}
}

// fakeTB records that a test would have ended.
type fakeTB struct {
	testing.TB
	message string
}

func (f *fakeTB) Helper()                           {}
func (f *fakeTB) Fatal(args ...any)                 { f.fail(fmt.Sprint(args...)) }
func (f *fakeTB) Fatalf(format string, args ...any) { f.fail(fmt.Sprintf(format, args...)) }
func (f *fakeTB) fail(message string)               { f.message = message; panic(f) }

func TestEndsTheTest(t *testing.T) {
	t.Parallel()
	for want, call := range map[string]func(*producertest.Recorder){
		"producertest: no mail was sent":     func(r *producertest.Recorder) { r.Last() },
		`producertest: job "a": no such job`: func(r *producertest.Recorder) { r.Amend("a", func(*rohrpost.Status) {}) },
	} {
		tb := &fakeTB{}
		func() {
			defer func() { _ = recover() }()
			call(producertest.New(tb))
		}()
		if tb.message != want {
			t.Errorf("got %q, want %q", tb.message, want)
		}
	}
}
