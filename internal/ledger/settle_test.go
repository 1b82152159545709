package ledger_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 2)
	b.mustArm(job, 0, "T1", 0, 1)
	next := b.now.Add(time.Hour)
	b.mustSettle(job, ledger.Settlement{
		Token: "T1", State: rohrpost.Deferred, Counts: true, Next: next, Twice: true,
		Verdicts: map[int]rohrpost.RecipientStatus{
			0: {State: accepted, Code: 250, Enhanced: "2.0.0", Diagnostic: "Ok: queued as 4711"},
			1: {State: deferred, Code: 451, Diagnostic: "later|or never\nsaid \"they\""},
		},
		Account: "tenant:acme", Level: "tenant", Why: "the tenant's own",
	})
	want := &ledger.Record{
		Key: "a,acme", Revision: 1, Weight: 100,
		Status: rohrpost.Status{
			ID: "a", MessageID: "<a@acme.example>", Tenant: "acme", State: rohrpost.Deferred, Queue: "default", Attempts: 1,
			Recipients: []rohrpost.RecipientStatus{
				{Address: "r0@example.org", State: accepted, Code: 250, Enhanced: "2.0.0", Diagnostic: "Ok: queued as 4711"},
				{Address: "r1@example.org", State: deferred, Code: 451, Diagnostic: "later|or never\nsaid \"they\""},
			},
			EnqueuedAt: b.now, UpdatedAt: b.now, NextAttempt: &next, MaybeTwice: true,
			Account: "tenant:acme", Level: "tenant", Why: "the tenant's own", Metadata: map[string]string{"invoice": "4711"},
			History: []rohrpost.Event{{
				Time: b.now, State: rohrpost.Deferred, Attempt: 1, Account: "tenant:acme", Level: "tenant", Why: "the tenant's own",
				Code: 250, Enhanced: "2.0.0", Diagnostic: "Ok: queued as 4711", NextAttempt: next,
			}},
		},
	}
	if diff := cmp.Diff(want, b.load("a")); diff != "" {
		t.Fatal(diff)
	}
	if got, want := b.ttl("a"), ledger.MaxWait+ledger.DefaultKeep; got != want {
		t.Errorf("the record of a deferred job ends in %v, want %v", got, want)
	}

	b.mustArm(job, 1, "T2", 1)
	b.mustSettle(job, ledger.Settlement{Token: "T2", Revision: 1, State: rohrpost.Accepted, Counts: true, Verdicts: verdicts("", accepted)})
	r := b.load("a")
	if r.State != rohrpost.Accepted || r.Attempts != 2 || r.Revision != 2 || r.NextAttempt != nil || !r.MaybeTwice || r.Account != "tenant:acme" {
		t.Errorf("%+v", r)
	}
	if got := b.ttl("a"); got != ledger.DefaultKeep {
		t.Errorf("the record of an ended job ends in %v", got)
	}
}

func TestSettleDoesNotCount(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred})
	if r := b.load("a"); r.Attempts != 0 || r.Revision != 1 {
		t.Errorf("%+v", r)
	}
}

// A case is a settlement that comes when the record has moved on.
func TestSettleStale(t *testing.T) {
	t.Parallel()
	again := func(token string, v ...rohrpost.RecipientState) ledger.Settlement {
		return ledger.Settlement{Token: token, State: rohrpost.Deferred, Counts: true, Verdicts: verdicts(v...)}
	}
	at := func(revision int, s ledger.Settlement) ledger.Settlement { s.Revision = revision; return s }
	doubted := func(b *book, j *payload.Job) { // T1 was armed; somebody found its note
		b.mustArm(j, 0, "T1", 0, 1)
		b.mustSettle(j, again("T1", uncertain, uncertain))
	}
	tests := []struct {
		name   string
		before func(*book, *payload.Job)
		s      ledger.Settlement
		want   error
		states []rohrpost.RecipientState
		state  rohrpost.State
		note   string
		count  int
	}{
		{
			"canceled while it connected", cancel, again("T1", deferred, deferred), ledger.ErrStale,
			[]rohrpost.RecipientState{waiting, waiting},
			rohrpost.Canceled, "", 0,
		},
		{
			"another attempt has settled", deferredOnce, again("T2", failed, failed), ledger.ErrStale,
			[]rohrpost.RecipientState{deferred, deferred},
			rohrpost.Deferred, "", 1,
		},
		{
			"another attempt is armed", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T1", 0) }, again("T2", deferred, deferred), ledger.ErrStale,
			[]rohrpost.RecipientState{waiting, waiting},
			rohrpost.Sending, "T1", 0,
		},
		{
			"one is armed whose token begins alike", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T21", 0) }, again("T2", deferred, deferred), ledger.ErrStale,
			[]rohrpost.RecipientState{waiting, waiting},
			rohrpost.Sending, "T21", 0,
		},
		{
			"a 250 after doubt", doubted, again("T1", accepted, failed), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, uncertain},
			rohrpost.Deferred, "", 1,
		},
		{
			"a refusal after doubt", doubted, again("T1", deferred, failed), ledger.ErrStale,
			[]rohrpost.RecipientState{uncertain, uncertain},
			rohrpost.Deferred, "", 1,
		},
		{
			"doubt after the settlement", func(b *book, j *payload.Job) {
				b.mustArm(j, 0, "T1", 0, 1)
				b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(accepted, accepted)})
				b.mustSettle(j, ledger.Settlement{Token: "T3", Revision: 1, State: rohrpost.Accepted})
			}, again("T1", uncertain, uncertain), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, accepted},
			rohrpost.Accepted, "", 1,
		},
		{
			"a 250 while the next one is armed", func(b *book, j *payload.Job) {
				doubted(b, j)
				b.mustArm(j, 1, "T2", 0, 1)
			}, again("T1", accepted, ""), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, uncertain},
			rohrpost.Sending, "T2", 1,
		},
		{
			"the next one, after that", func(b *book, j *payload.Job) {
				doubted(b, j)
				b.mustArm(j, 1, "T2", 0, 1)
				if err := b.settle(j, again("T1", accepted, "")); !errors.Is(err, ledger.ErrStale) {
					b.tb.Fatal(err)
				}
			}, at(1, again("T2", deferred, failed)), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, failed},
			rohrpost.Sending, "", 1,
		},
		{
			"a 250 after cancel", func(b *book, j *payload.Job) { doubted(b, j); cancel(b, j) }, again("T1", accepted, accepted), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, accepted},
			rohrpost.Canceled, "", 1,
		},
		{
			"a lost record", func(b *book, _ *payload.Job) { b.rdb.FlushDB(b.tb.Context()) }, again("T1", deferred, failed), nil,
			[]rohrpost.RecipientState{deferred, failed},
			rohrpost.Deferred, "", 1,
		},
		{
			"a 250 for a record lost after it was read", func(b *book, _ *payload.Job) { b.rdb.FlushDB(b.tb.Context()) }, at(3, again("T1", accepted, failed)), ledger.ErrStale,
			[]rohrpost.RecipientState{accepted, waiting},
			"", "", 0,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			job := b.reserved("a", 2)
			tt.before(b, job)
			for _, time := range []string{"first", "after a lost reply"} {
				if err := b.settle(job, tt.s); !errors.Is(err, tt.want) {
					t.Fatalf("%s: %v, want %v", time, err, tt.want)
				}
				r := b.load("a")
				if diff := cmp.Diff(tt.states, states(r)); diff != "" || r.State != tt.state || r.Attempts != tt.count {
					t.Errorf("%s: %s after %d attempts %s", time, r.State, r.Attempts, diff)
				}
				if note := r.Sending; (note == nil) != (tt.note == "") || note != nil && note.Token != tt.note {
					t.Errorf("%s: note %+v", time, note)
				}
				if r.Tenant != "acme" || r.MessageID != "<a@acme.example>" {
					t.Errorf("%s: %+v", time, r.Status)
				}
				b.ttl("a")
			}
		})
	}
}

func TestAcceptedStays(t *testing.T) {
	t.Parallel()
	for _, first := range []rohrpost.RecipientState{accepted, rohrpost.RecipientBounced} {
		for _, then := range []rohrpost.RecipientState{waiting, deferred, failed, uncertain, rohrpost.RecipientSuppressed} {
			b := open(t)
			job := b.reserved("a", 1)
			b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: verdicts(first)})
			b.mustSettle(job, ledger.Settlement{Token: "T2", Revision: 1, State: rohrpost.Deferred, Verdicts: verdicts(then)})
			if got := b.load("a").Recipients[0].State; got != first {
				t.Errorf("%s became %s", first, got)
			}
		}
	}
}

// An acceptance does not turn a bounce back.
func TestBouncedStays(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Bounced, Verdicts: verdicts(rohrpost.RecipientBounced)})
	if err := b.settle(job, ledger.Settlement{Token: "T2", State: rohrpost.Accepted, Verdicts: verdicts(accepted)}); !errors.Is(err, ledger.ErrStale) {
		t.Error(err)
	}
	if r := b.load("a"); r.Recipients[0].State != rohrpost.RecipientBounced || r.State != rohrpost.Bounced {
		t.Errorf("%+v", r)
	}
}

// go-redis repeats a script whose reply was lost.
func TestSettleTwice(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 2)
	b.mustArm(job, 0, "T1", 0, 1)
	s := ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Counts: true, Verdicts: verdicts(accepted, deferred)}
	b.mustSettle(job, s)
	b.mustSettle(job, s)
	if r := b.load("a"); r.Attempts != 1 || r.Revision != 1 || r.State != rohrpost.Deferred {
		t.Errorf("%+v", r)
	}
	b.mustArm(job, 1, "T2", 1)
	if err := b.settle(job, s); !errors.Is(err, ledger.ErrStale) { // later still
		t.Error(err)
	}
	if r := b.load("a"); r.Attempts != 1 || r.State != rohrpost.Sending || r.Sending == nil {
		t.Errorf("%+v", r)
	}
}

func TestSettleOfAnotherTenant(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.job("a", 1)
	job.Bare = true
	if _, err := b.reserve(job, "nonce"); err != nil {
		t.Fatal(err)
	}
	was := b.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()
	job.Tenant = "evil"
	if err := b.settle(job, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Verdicts: verdicts(accepted)}); !errors.Is(err, ledger.ErrTaken) {
		t.Error(err)
	}
	if diff := cmp.Diff(was, b.rdb.HGetAll(t.Context(), "rohrpost:job:{a}").Val()); diff != "" || len(was) == 0 {
		t.Error(diff)
	}
}

// An attempt whose Arm was not answered settles without having sent.
func TestSettleAfterALostArm(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	b.mustArm(job, 0, "T1", 0)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred, Verdicts: verdicts(waiting)})
	if r := b.load("a"); r.Sending != nil || r.Recipients[0].State != waiting {
		t.Errorf("%+v", r)
	}
}

func TestManyRecipients(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", rohrpost.MaxRecipients)
	list, v := make([]int, len(job.To)), map[int]rohrpost.RecipientStatus{}
	for i := range list {
		list[i] = i
		v[i] = rohrpost.RecipientStatus{State: accepted, Code: 250, Diagnostic: "number " + strconv.Itoa(i)}
	}
	b.mustArm(job, 0, "T1", list...)
	if diff := cmp.Diff(list, b.load("a").Sending.Recipients); diff != "" {
		t.Error(diff)
	}
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Verdicts: v})
	for i, r := range b.load("a").Recipients {
		if r.State != accepted || r.Diagnostic != "number "+strconv.Itoa(i) || r.Address != job.To[i].Address {
			t.Fatalf("%d: %+v", i, r)
		}
	}
}

// An accepted mail costs two round trips beyond the queue's.
func TestTwoRoundTrips(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, id := range []string{"loads the scripts", "a"} {
		job := b.reserved(id, 1)
		before := b.trips.Load()
		b.mustArm(job, 0, "T1", 0)
		b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(accepted)})
		if n := b.trips.Load() - before; id == "a" && n != 2 {
			t.Errorf("%d round trips", n)
		}
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	_ = b.rdb.Close()
	_, loadErr := b.Load(t.Context(), "a,acme")
	_, cancelErr := b.Cancel(t.Context(), "a,acme")
	for what, err := range map[string]error{
		"arm": b.arm(job, 0, "T1", 0), "settle": b.settle(job, ledger.Settlement{Token: "T1"}), "load": loadErr, "cancel": cancelErr,
	} {
		if err == nil || errors.Is(err, ledger.ErrStale) || errors.Is(err, ledger.ErrUnknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestLateVerdictsEndADoubt: a job that ended as uncertain, since nobody had heard of
// its attempt, gets the state that its recipients have once that reports after all.
func TestLateVerdictsEndADoubt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		doubted, late []rohrpost.RecipientState
		want          rohrpost.State
	}{
		"all accepted":   {[]rohrpost.RecipientState{uncertain, uncertain}, []rohrpost.RecipientState{accepted, accepted}, rohrpost.Accepted},
		"one had failed": {[]rohrpost.RecipientState{uncertain, failed}, []rohrpost.RecipientState{accepted}, rohrpost.Partly},
		"one is open":    {[]rohrpost.RecipientState{uncertain, uncertain}, []rohrpost.RecipientState{accepted}, rohrpost.Uncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			j := b.reserved("a", 2)
			b.mustArm(j, 0, "T1", 0, 1)
			b.mustSettle(j, ledger.Settlement{Token: "T1", State: rohrpost.Uncertain, Counts: true, Verdicts: verdicts(tt.doubted...)})
			err := b.settle(j, ledger.Settlement{Token: "T1", State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(tt.late...)})
			if got := b.load("a"); !errors.Is(err, ledger.ErrStale) || got.State != tt.want {
				t.Errorf("%s, %v, want %s", got.State, err, tt.want)
			}
		})
	}
}
