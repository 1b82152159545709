package ledger_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// act is what a person does to a job.
func (b *book) act(what string, j *payload.Job) error {
	b.tb.Helper()
	switch what {
	case "cancel":
		_, err := b.Cancel(b.tb.Context(), j.Key())
		return err
	case "reopen":
		return b.Reopen(b.tb.Context(), j)
	case "reschedule":
		return b.Reschedule(b.tb.Context(), j, b.now.Add(time.Hour))
	}
	b.tb.Fatalf("nobody can %s", what)
	return nil
}

func (b *book) mustAct(what string, j *payload.Job) {
	b.tb.Helper()
	if err := b.act(what, j); err != nil {
		b.tb.Fatalf("%s: %v", what, err)
	}
}

// TestActs is every state and what a person can do in it.
func TestActs(t *testing.T) {
	t.Parallel()
	const (
		canceled, queued, scheduled = rohrpost.Canceled, rohrpost.Queued, rohrpost.Scheduled
		partly                      = rohrpost.Partly
	)
	tests := []struct {
		state    rohrpost.State
		verdicts map[int]rohrpost.RecipientStatus

		cancel, reopen, reschedule any // the state afterwards, or the error
	}{
		{queued, nil, canceled, queued, scheduled},
		{scheduled, nil, canceled, queued, scheduled},
		{rohrpost.Sending, nil, ledger.ErrSending, ledger.ErrSending, ledger.ErrSending},
		{rohrpost.Deferred, verdicts(deferred, deferred), canceled, queued, scheduled},
		{rohrpost.Deferred, verdicts(accepted, deferred), partly, queued, scheduled},
		{rohrpost.Parked, verdicts(deferred, deferred), canceled, queued, scheduled},
		{rohrpost.Accepted, verdicts(accepted, accepted), ledger.ErrFinal, ledger.ErrNothingToRetry, ledger.ErrFinal},
		{partly, verdicts(accepted, failed), ledger.ErrFinal, queued, ledger.ErrFinal},
		{partly, verdicts(accepted, rohrpost.RecipientSuppressed), ledger.ErrFinal, ledger.ErrNothingToRetry, ledger.ErrFinal},
		{partly, verdicts(accepted, rohrpost.RecipientBounced), ledger.ErrFinal, ledger.ErrNothingToRetry, ledger.ErrFinal},
		{rohrpost.Failed, verdicts(failed, failed), ledger.ErrFinal, queued, ledger.ErrFinal},
		{rohrpost.Failed, nil, ledger.ErrFinal, queued, ledger.ErrFinal},
		{rohrpost.Expired, verdicts(failed, failed), ledger.ErrFinal, queued, ledger.ErrFinal},
		{rohrpost.Uncertain, verdicts(uncertain, failed), canceled, queued, ledger.ErrFinal},
		{rohrpost.Uncertain, verdicts(accepted, uncertain), partly, queued, ledger.ErrFinal},
		{canceled, nil, ledger.ErrFinal, ledger.ErrNothingToRetry, ledger.ErrFinal},
		{rohrpost.Bounced, verdicts(accepted, rohrpost.RecipientBounced), ledger.ErrFinal, ledger.ErrNothingToRetry, ledger.ErrFinal},
		{"", nil, ledger.ErrUnknown, ledger.ErrUnknown, ledger.ErrUnknown},
	}
	b := open(t)
	seen := map[rohrpost.State]bool{}
	for i, tt := range tests {
		seen[tt.state] = true
		for what, want := range map[string]any{"cancel": tt.cancel, "reopen": tt.reopen, "reschedule": tt.reschedule} {
			job := b.job(string(rune('a'+i))+what, 2)
			switch tt.state {
			case "":
			case scheduled:
				job.NotBefore = b.now.Add(time.Minute)
				fallthrough
			case queued:
				if _, err := b.reserve(job, "nonce"); err != nil {
					t.Fatal(err)
				}
			case rohrpost.Sending:
				b.mustArm(job, 0, "T1", 0)
			default:
				b.mustSettle(job, ledger.Settlement{Token: "T1", State: tt.state, Verdicts: tt.verdicts, Next: b.now.Add(time.Minute)})
			}
			before := b.rdb.HGetAll(t.Context(), "rohrpost:job:{"+job.ID+"},acme").Val()
			err := b.act(what, job)
			if refused, is := want.(error); is {
				if !errors.Is(err, refused) {
					t.Errorf("%s of %s %v: %v, want %v", what, tt.state, tt.verdicts, err, refused)
				}
				if diff := cmp.Diff(before, b.rdb.HGetAll(t.Context(), "rohrpost:job:{"+job.ID+"},acme").Val()); diff != "" {
					t.Errorf("%s of %s was refused, and has changed %s", what, tt.state, diff)
				}
				continue
			}
			if r := b.load(job.ID); err != nil || any(r.State) != want {
				t.Errorf("%s of %s %v: %s, %v, want %v", what, tt.state, tt.verdicts, r.State, err, want)
			}
		}
	}
	for _, s := range allStates() {
		if !seen[s] {
			t.Errorf("%s is not in the table", s)
		}
	}
}

// A retried job goes to those who have not got it, and is as good as new.
func TestReopen(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 5)
	b.mustSettle(job, ledger.Settlement{
		Token: "T1", State: rohrpost.Uncertain, Counts: true, Next: b.now.Add(time.Hour),
		Verdicts: verdicts(accepted, failed, uncertain, rohrpost.RecipientSuppressed),
	})
	b.now = b.now.Add(time.Hour)
	b.mustAct("reopen", job)
	r := b.load("a")
	want := []rohrpost.RecipientState{accepted, waiting, waiting, rohrpost.RecipientSuppressed, waiting}
	if diff := cmp.Diff(want, states(r)); diff != "" {
		t.Error(diff)
	}
	if r.Recipients[1] != (rohrpost.RecipientStatus{Address: "r1@example.org", State: waiting}) {
		t.Errorf("what was said before is still there: %+v", r.Recipients[1])
	}
	if r.NextAttempt != nil || !r.MaybeTwice || !r.Due.Equal(b.now) || !r.UpdatedAt.Equal(b.now) || r.Attempts != 1 || r.Revision != 2 || !r.Reopened() {
		t.Errorf("%+v", r)
	}
	if got := b.ttl("a"); got != ledger.MaxWait+ledger.DefaultKeep {
		t.Errorf("the record ends in %v", got)
	}
	if err := b.arm(job, 1, "T2", 1); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("whoever has read the record before may send: %v", err)
	}
	b.mustArm(job, 2, "T3", 1, 2, 4)
	if b.load("a").Reopened() {
		t.Error("a worker has it, and it is reopened")
	}
	b.mustSettle(job, ledger.Settlement{Token: "T3", Revision: 2, State: rohrpost.Partly, Counts: true, Verdicts: verdicts("", accepted, accepted, "", accepted)})
	if r := b.load("a"); r.Attempts != 2 || r.State != rohrpost.Partly {
		t.Errorf("%+v", r)
	}
}

// A job that waits keeps what is known of its recipients.
func TestReopenWaiting(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 3)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: verdicts(failed, uncertain, deferred), Next: b.now.Add(time.Hour)})
	b.mustAct("reopen", job)
	r := b.load("a")
	if diff := cmp.Diff([]rohrpost.RecipientState{failed, uncertain, deferred}, states(r)); diff != "" || r.MaybeTwice {
		t.Errorf("%+v %s", r, diff)
	}
}

// A reply that was lost, or a person without patience.
func TestActTwice(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"reopen", "reschedule"} {
		b := open(t)
		job := b.reserved("a", 1)
		b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Counts: true, Verdicts: verdicts(deferred), Event: &rohrpost.Event{Attempt: 1}})
		b.mustAct(what, job)
		first := b.load("a")
		b.mustAct(what, job)
		second := b.load("a")
		second.Revision = first.Revision // rises
		if diff := cmp.Diff(first, second); diff != "" || len(first.History) != 2 {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// Many people retry the same mail at once: it is reopened once, and one attempt gets it.
func TestReopenRace(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Failed, Counts: true, Verdicts: verdicts(failed), Event: &rohrpost.Event{Attempt: 1}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := b.Reopen(t.Context(), job); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if r := b.load("a"); len(r.History) != 2 || r.State != rohrpost.Queued {
		t.Errorf("%+v", r)
	}
}

// A person acts while a worker arms: either the dot is refused, or the person is.
func TestActWhileArming(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, what := range []string{"cancel", "reopen", "reschedule"} {
		for n := range 50 {
			job := b.reserved(what+string(rune('0'+n)), 1)
			var armErr, actErr error
			var wg sync.WaitGroup
			wg.Go(func() { armErr = b.arm(job, 0, "T1", 0) })
			wg.Go(func() { actErr = b.act(what, job) })
			wg.Wait()
			switch {
			case armErr == nil && errors.Is(actErr, ledger.ErrSending):
			case errors.Is(armErr, ledger.ErrStale) && actErr == nil:
			default:
				t.Fatalf("%s: arm %v, act %v", what, armErr, actErr)
			}
		}
	}
}

// A job that was put off lives longer than it was made for, whatever is settled.
func TestLifeOfARecord(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	tests := []struct {
		name string
		do   func(*book, *payload.Job)
		want time.Duration
	}{
		{"put off", func(b *book, j *payload.Job) {}, month + ledger.MaxWait + ledger.DefaultKeep},
		{"put off, then deferred", func(b *book, j *payload.Job) {
			b.mustSettle(j, ledger.Settlement{Token: "T1", Revision: 1, State: rohrpost.Deferred})
		}, month + ledger.MaxWait + ledger.DefaultKeep},
		{"put off, then failed", func(b *book, j *payload.Job) {
			b.mustSettle(j, ledger.Settlement{Token: "T1", Revision: 1, State: rohrpost.Failed})
		}, ledger.DefaultKeep},
		{"put off, then run now", func(b *book, j *payload.Job) { b.mustAct("reopen", j) }, month + ledger.MaxWait + ledger.DefaultKeep},
		{"put off, then canceled", func(b *book, j *payload.Job) { b.mustAct("cancel", j) }, ledger.DefaultKeep},
		{"held, for a person who is away", func(b *book, j *payload.Job) {
			b.mustSettle(j, ledger.Settlement{Token: "T1", Revision: 1, State: rohrpost.Uncertain, Verdicts: verdicts(uncertain)})
		}, ledger.MaxWait + ledger.DefaultKeep},
	}
	for _, tt := range tests {
		b := open(t)
		job := b.reserved("a", 1)
		if err := b.Reschedule(t.Context(), job, b.now.Add(month)); err != nil {
			t.Fatal(err)
		}
		tt.do(b, job)
		if got := b.ttl("a"); got != tt.want {
			t.Errorf("%s: the record ends in %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestReschedule(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	deferredOnce(b, b.reserved("b", 2))
	due := b.now.Add(time.Hour)
	b.mustAct("reschedule", job)
	r := b.load("a")
	if r.State != rohrpost.Scheduled || r.NextAttempt == nil || !r.NextAttempt.Equal(due) || !r.Due.Equal(due) || r.Reopened() {
		t.Errorf("%+v", r)
	}
	if got := r.Waits(b.now); got != time.Hour {
		t.Errorf("it waits %v", got)
	}
	if got := r.Waits(due); got != 0 {
		t.Errorf("it waits %v when it is due", got)
	}
	want := []rohrpost.Event{{Time: b.now, State: rohrpost.Scheduled, By: rohrpost.ByOperator, NextAttempt: due}}
	if diff := cmp.Diff(want, r.History); diff != "" {
		t.Error(diff)
	}
	b.now = b.now.Add(time.Minute)
	b.mustAct("reschedule", job) // to another time
	if r := b.load("a"); len(r.History) != 2 || !r.Due.Equal(due.Add(time.Minute)) {
		t.Errorf("%+v", r)
	}
	if (*ledger.Record)(nil).Waits(b.now) != 0 || b.load("b").Waits(b.now) != 0 {
		t.Error("a job that nobody put off waits")
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	record := func(due time.Time) *ledger.Record { return &ledger.Record{Due: due} }
	tests := []struct {
		name    string
		record  *ledger.Record
		expires time.Time
		want    time.Time
	}{
		{"new", nil, time.Time{}, at(24)},
		{"new, with its own", nil, at(2), at(2)},
		{"as it was made", record(time.Time{}), time.Time{}, at(24)},
		{"as it was made, with its own", record(time.Time{}), at(2), at(2)},
		{"put off", record(at(48)), time.Time{}, at(72)},
		{"put off, with its own", record(at(48)), at(50), at(50)},
		{"run after its own has passed", record(at(5)), at(2), at(29)},
		{"brought forward", record(at(-1)), time.Time{}, at(23)},
	}
	for _, tt := range tests {
		job := &payload.Job{EnqueuedAt: now, Message: rohrpost.Message{Expires: tt.expires}}
		if got := tt.record.Deadline(job, 24*time.Hour); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got.Sub(now), tt.want.Sub(now))
		}
	}
}

func TestLoadAll(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.reserved("a", 1)
	b.reserved("c", 2)
	records, err := b.LoadAll(t.Context(), []payload.Key{"a,acme", "b,acme", "c,acme"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*ledger.Record{b.load("a"), nil, b.load("c")}, records); diff != "" {
		t.Error(diff)
	}
}
