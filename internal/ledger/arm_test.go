package ledger_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

func TestArm(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 3)
	b.mustArm(job, 0, "T1", 0, 2)
	r := b.load("a")
	if diff := cmp.Diff(&ledger.Note{Token: "T1", At: b.now, Recipients: []int{0, 2}}, r.Sending); diff != "" || r.State != rohrpost.Sending {
		t.Errorf("%s %s", r.State, diff)
	}
	if r.Revision != 0 || r.Attempts != 0 || !r.UpdatedAt.Equal(b.now) {
		t.Errorf("%+v", r)
	}
	if got, want := b.ttl("a"), ledger.MaxWait+ledger.DefaultKeep; got != want {
		t.Errorf("the record ends in %v, want %v", got, want)
	}
}

func TestArmIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		before   func(*book, *payload.Job)
		revision int
		tenant   string
		want     error
	}{
		{"fresh", nil, 0, "acme", nil},
		{"a revision that is not there", nil, 1, "acme", ledger.ErrStale},
		{"another tenant", nil, 0, "evil", ledger.ErrTaken},
		{"no tenant", nil, 0, "", ledger.ErrTaken},
		{"tried before, and read", deferredOnce, 1, "acme", nil},
		{"tried before, not read", deferredOnce, 0, "acme", ledger.ErrStale},
		{"armed by another", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T1", 0) }, 0, "acme", ledger.ErrStale},
		{"armed by one whose token begins alike", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T21", 0) }, 0, "acme", ledger.ErrStale},
		{"armed by itself", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T2", 0) }, 0, "acme", nil},
		{"canceled, not read", cancel, 0, "acme", ledger.ErrStale},
		{"canceled, and read", cancel, 1, "acme", ledger.ErrStale},
		{"record lost", func(b *book, _ *payload.Job) { b.rdb.FlushDB(b.tb.Context()) }, 0, "acme", nil},
		{"record lost after it was read", func(b *book, _ *payload.Job) { b.rdb.FlushDB(b.tb.Context()) }, 1, "acme", ledger.ErrStale},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			job, key := b.job("a", 2), "rohrpost:job:{a},acme"
			if tt.tenant != "acme" { // else it is another key
				job.Bare, key = true, "rohrpost:job:{a}"
			}
			if _, err := b.reserve(job, "nonce"); err != nil {
				t.Fatal(err)
			}
			if tt.before != nil {
				tt.before(b, job)
			}
			was := b.rdb.HGetAll(t.Context(), key).Val()
			job.Tenant = tt.tenant
			if err := b.arm(job, tt.revision, "T2", 0, 1); !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if tt.want != nil {
				if diff := cmp.Diff(was, b.rdb.HGetAll(t.Context(), key).Val()); diff != "" {
					t.Error(diff)
				}
			} else if r := b.load("a"); r.Sending == nil || r.Sending.Token != "T2" || r.Tenant != "acme" || len(r.Recipients) != 2 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func deferredOnce(b *book, j *payload.Job) {
	b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Counts: true, Verdicts: verdicts(deferred, deferred)})
}

func cancel(b *book, j *payload.Job) {
	b.tb.Helper()
	if _, err := b.Cancel(b.tb.Context(), j.Key()); err != nil {
		b.tb.Fatal(err)
	}
}

// allStates are those of package rohrpost.
func allStates() []rohrpost.State {
	return []rohrpost.State{
		rohrpost.Scheduled, rohrpost.Queued, rohrpost.Sending, rohrpost.Deferred, rohrpost.Parked, rohrpost.Accepted,
		rohrpost.Partly, rohrpost.Failed, rohrpost.Uncertain, rohrpost.Expired, rohrpost.Canceled, rohrpost.Bounced,
	}
}

// The scripts know the same final states as State.Final.
func TestFinalStates(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, s := range allStates() {
		job := b.reserved(string(s), 1)
		b.mustSettle(job, ledger.Settlement{Token: "T1", State: s})
		if err := b.arm(job, 1, "T2", 0); errors.Is(err, ledger.ErrStale) != s.Final() {
			t.Errorf("arm of %s: %v", s, err)
		}
		job = b.reserved("cancel-"+string(s), 1)
		b.mustSettle(job, ledger.Settlement{Token: "T1", State: s})
		_, err := b.Cancel(t.Context(), job.Key())
		if final := s.Final() && s != rohrpost.Uncertain; errors.Is(err, ledger.ErrFinal) != final {
			t.Errorf("cancel of %s: %v", s, err)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(*book, *payload.Job)
		state  rohrpost.State
		want   error
	}{
		{"queued", nil, rohrpost.Canceled, nil},
		{"unknown", func(b *book, _ *payload.Job) { b.rdb.FlushDB(b.tb.Context()) }, "", ledger.ErrUnknown},
		{"deferred", deferredOnce, rohrpost.Canceled, nil},
		{"armed", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T1", 0, 1) }, rohrpost.Sending, ledger.ErrSending},
		{"twice", cancel, rohrpost.Canceled, ledger.ErrFinal},
		{"some have it", func(b *book, j *payload.Job) {
			b.mustArm(j, 0, "T1", 0, 1)
			b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: verdicts(deferred, accepted), Next: b.now})
		}, rohrpost.Partly, nil},
		{"some may have it", func(b *book, j *payload.Job) {
			b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: verdicts(uncertain, failed), Next: b.now})
		}, rohrpost.Canceled, nil},
		{"all have it", func(b *book, j *payload.Job) {
			b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Verdicts: verdicts(accepted, accepted)})
		}, rohrpost.Accepted, ledger.ErrFinal},
		{"a diagnostic that looks like a verdict", func(b *book, j *payload.Job) {
			v := verdicts(deferred)
			v[0] = rohrpost.RecipientStatus{State: deferred, Diagnostic: "accepted|250||"}
			b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: v, Why: "r0", Account: "accepted|", Level: "accepted|"})
		}, rohrpost.Canceled, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			job := b.reserved("a", 2)
			if tt.before != nil {
				tt.before(b, job)
			}
			queue, err := b.Cancel(t.Context(), "a,acme")
			if !errors.Is(err, tt.want) || (err == nil) != (queue == "default") {
				t.Fatalf("%q, %v, want %v", queue, err, tt.want)
			}
			if tt.state == "" {
				return
			}
			r := b.load("a")
			if r.State != tt.state || err == nil && r.NextAttempt != nil {
				t.Errorf("%+v", r.Status)
			}
			if err == nil {
				if got := b.ttl("a"); got != ledger.DefaultKeep {
					t.Errorf("the record ends in %v", got)
				}
				if err := b.arm(job, r.Revision, "T9", 0); !errors.Is(err, ledger.ErrStale) {
					t.Errorf("armed after all: %v", err)
				}
			}
		})
	}
}
