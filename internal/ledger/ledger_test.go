package ledger_test

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A book is a ledger on a Redis of its own, at a time of its own.
type book struct {
	*ledger.Ledger
	tb    testing.TB
	rdb   redis.UniversalClient
	now   time.Time
	trips atomic.Int64 // round trips
}

func open(tb testing.TB) *book {
	tb.Helper()
	b := &book{tb: tb, rdb: redistest.Start(tb).Client(tb), now: time.Now().Truncate(time.Millisecond).UTC()}
	b.rdb.AddHook(counter{&b.trips})
	var err error
	if b.Ledger, err = ledger.New(ledger.Options{Redis: b.rdb, Now: func() time.Time { return b.now }}); err != nil {
		tb.Fatal(err)
	}
	return b
}

type counter struct{ n *atomic.Int64 }

func (counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.n.Add(1); return next(ctx, cmd) }
}

func (c counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.n.Add(1); return next(ctx, cmds) }
}

// job has the recipients r0@example.org, r1@example.org …
func (b *book) job(id string, recipients int) *payload.Job {
	j := &payload.Job{
		Message:   rohrpost.Message{ID: id, Tenant: "acme", Metadata: map[string]string{"invoice": "4711"}},
		MessageID: "<" + id + "@acme.example>", EnqueuedAt: b.now,
	}
	for i := range recipients {
		j.To = append(j.To, rohrpost.Address{Address: "r" + strconv.Itoa(i) + "@example.org"})
	}
	return j
}

// reserve opens the record of a job as a producer does.
func (b *book) reserve(j *payload.Job, nonce string) (rohrpost.Receipt, error) {
	b.tb.Helper()
	var batch lua.Batch
	r := b.Reserve(&batch, j, ledger.Opening{Nonce: nonce, Metadata: `{"invoice":"4711"}`, Weight: 100})
	if err := batch.Exec(b.tb.Context(), b.rdb); err != nil {
		b.tb.Fatal(err)
	}
	return r.Receipt()
}

// reserved is a job with a record.
func (b *book) reserved(id string, recipients int) *payload.Job {
	b.tb.Helper()
	j := b.job(id, recipients)
	if _, err := b.reserve(j, "nonce"); err != nil {
		b.tb.Fatal(err)
	}
	return j
}

func (b *book) load(id string) *ledger.Record {
	b.tb.Helper()
	r, err := b.Load(b.tb.Context(), payload.KeyOf("acme", id))
	if err != nil {
		b.tb.Fatal(err)
	}
	return r
}

func (b *book) arm(j *payload.Job, revision int, token string, recipients ...int) error {
	return b.Arm(b.tb.Context(), j, revision, token, recipients)
}

func (b *book) mustArm(j *payload.Job, revision int, token string, recipients ...int) {
	b.tb.Helper()
	if err := b.arm(j, revision, token, recipients...); err != nil {
		b.tb.Fatalf("arm %s: %v", token, err)
	}
}

func (b *book) settle(j *payload.Job, s ledger.Settlement) error {
	return b.Settle(b.tb.Context(), j, s)
}

func (b *book) mustSettle(j *payload.Job, s ledger.Settlement) {
	b.tb.Helper()
	if err := b.settle(j, s); err != nil {
		b.tb.Fatalf("settle %s: %v", s.Token, err)
	}
}

// verdicts has one state for each recipient; empty: none.
func verdicts(states ...rohrpost.RecipientState) map[int]rohrpost.RecipientStatus {
	m := map[int]rohrpost.RecipientStatus{}
	for i, s := range states {
		if s != "" {
			m[i] = rohrpost.RecipientStatus{State: s, Code: 250, Enhanced: "2.0.0", Diagnostic: "said so"}
		}
	}
	return m
}

func states(r *ledger.Record) []rohrpost.RecipientState {
	var out []rohrpost.RecipientState
	for _, s := range r.Recipients {
		out = append(out, s.State)
	}
	return out
}

// ttl is when a record ends, as seen from the book's now, in whole minutes.
func (b *book) ttl(id string) time.Duration {
	b.tb.Helper()
	d, err := b.rdb.PTTL(b.tb.Context(), "rohrpost:job:{"+id+"},acme").Result()
	if err != nil || d <= 0 {
		b.tb.Fatalf("TTL %v, %v", d, err)
	}
	return (d - time.Until(b.now)).Round(time.Minute)
}

const (
	accepted  = rohrpost.RecipientAccepted
	deferred  = rohrpost.RecipientDeferred
	failed    = rohrpost.RecipientFailed
	uncertain = rohrpost.RecipientUncertain
	waiting   = rohrpost.RecipientWaiting
)

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := ledger.New(ledger.Options{}); err == nil {
		t.Error("a ledger without Redis")
	}
	rdb := redis.NewClient(&redis.Options{})
	defer func() { _ = rdb.Close() }()
	if _, err := ledger.New(ledger.Options{Redis: rdb, Keep: -1}); err == nil {
		t.Error("a negative keep")
	}
	if _, err := ledger.New(ledger.Options{Redis: rdb}); err != nil {
		t.Error(err)
	}
}

func TestHorizon(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.job("a", 1)
	later, expires := b.now.Add(time.Hour), b.now.Add(2*time.Hour)
	want := []time.Time{
		b.now.Add(ledger.MaxWait + ledger.DefaultKeep),
		later.Add(ledger.MaxWait + ledger.DefaultKeep),
		expires.Add(ledger.DefaultKeep),
	}
	got := []time.Time{b.Horizon(job)}
	job.NotBefore = later
	got = append(got, b.Horizon(job))
	job.Expires = expires
	got = append(got, b.Horizon(job))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReserve(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.job("a", 2)
	got, err := b.reserve(job, "one")
	if diff := cmp.Diff(rohrpost.Receipt{ID: "a", MessageID: "<a@acme.example>"}, got); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
	want := rohrpost.Status{
		ID: "a", MessageID: "<a@acme.example>", Tenant: "acme", State: rohrpost.Queued, Queue: "default", EnqueuedAt: b.now,
		Recipients: []rohrpost.RecipientStatus{
			{Address: "r0@example.org", State: waiting}, {Address: "r1@example.org", State: waiting},
		},
		Metadata: map[string]string{"invoice": "4711"},
	}
	r := b.load("a")
	if diff := cmp.Diff(want, r.Status); diff != "" || r.Queue != "default" || r.Revision != 0 || r.Sending != nil {
		t.Errorf("%+v %s", r, diff)
	}
	if got, want := b.ttl("a"), ledger.MaxWait+ledger.DefaultKeep; got != want {
		t.Errorf("the record ends in %v, want %v", got, want)
	}
}

func TestReserveAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		nonce     string
		change    func(*payload.Job)
		duplicate bool
		err       error
	}{
		{"the same Send, its reply lost", "one", nil, false, nil},
		{"the same id again", "two", func(j *payload.Job) { j.MessageID = "<other@acme.example>"; j.To = j.To[:1] }, true, nil},
		{"another tenant's", "two", func(j *payload.Job) { j.Tenant = "evil" }, false, nil},
		{"the platform's", "two", func(j *payload.Job) { j.Tenant = "" }, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			if _, err := b.reserve(b.job("a", 2), "one"); err != nil {
				t.Fatal(err)
			}
			before := b.rdb.HGetAll(t.Context(), "rohrpost:job:{a},acme").Val()
			job := b.job("a", 2)
			if tt.change != nil {
				tt.change(job)
			}
			got, err := b.reserve(job, tt.nonce)
			if !errors.Is(err, tt.err) {
				t.Fatal(err)
			}
			if want := (rohrpost.Receipt{ID: "a", MessageID: "<a@acme.example>", Duplicate: tt.duplicate}); err == nil && got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if diff := cmp.Diff(before, b.rdb.HGetAll(t.Context(), "rohrpost:job:{a},acme").Val()); diff != "" {
				t.Errorf("the record has changed: %s", diff)
			}
		})
	}
}

// An id that was made for the Send is its own nonce.
func TestReserveWithoutNonce(t *testing.T) {
	t.Parallel()
	b := open(t)
	for range 2 {
		if r, err := b.reserve(b.job("a", 1), "a"); err != nil || r.Duplicate {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if r, err := b.reserve(b.job("a", 1), "two"); err != nil || !r.Duplicate {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestReserveScheduled(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.job("a", 1)
	job.NotBefore = b.now.Add(time.Hour)
	if _, err := b.reserve(job, "one"); err != nil {
		t.Fatal(err)
	}
	if r := b.load("a"); r.State != rohrpost.Scheduled || r.NextAttempt == nil || !r.NextAttempt.Equal(job.NotBefore) {
		t.Errorf("%+v", r.Status)
	}
}

// In a Cluster, or when Redis knew asynq's script and not ours, a worker may be
// faster than the record.
func TestReserveAfterTheWorker(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"armed", "settled"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			job := b.job("a", 1)
			b.mustArm(job, 0, "T1", 0)
			if first == "settled" {
				b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(accepted)})
			}
			before := b.load("a")
			got, err := b.reserve(job, "one")
			if want := (rohrpost.Receipt{ID: "a", MessageID: "<a@acme.example>"}); err != nil || got != want {
				t.Errorf("%+v, %v", got, err)
			}
			before.Queue, before.Weight, before.Metadata = "default", 100, map[string]string{"invoice": "4711"} // what the worker cannot know
			if diff := cmp.Diff(before, b.load("a")); diff != "" {
				t.Error(diff)
			}
			if got, err := b.reserve(job, "two"); err != nil || !got.Duplicate {
				t.Errorf("again: %+v, %v", got, err)
			}
		})
	}
}

// A record that a worker had to write anew, of a job enqueued long ago, is not
// that of this Send: saying so would lose the mail.
func TestReserveAfterALostRecord(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.mustSettle(b.job("a", 1), ledger.Settlement{Token: "T1", State: rohrpost.Expired, Verdicts: verdicts(failed)})
	b.now = b.now.Add(time.Minute)
	if got, err := b.reserve(b.job("a", 1), "one"); err != nil || !got.Duplicate {
		t.Errorf("%+v, %v", got, err)
	}
}
