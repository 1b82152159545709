package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// refusal is the event of an attempt that failed, and what belongs to it.
func refusal(b *book, attempt int) ledger.Settlement {
	return ledger.Settlement{
		Token: "T" + strconv.Itoa(attempt), Revision: attempt - 1, State: rohrpost.Deferred, Counts: true, Next: b.now.Add(time.Hour),
		Verdicts: verdicts(deferred), Account: "tenant:acme", Level: "tenant", Why: "the tenant's own",
		Event: &rohrpost.Event{
			Attempt: attempt, Host: "mail.acme.example:587", Stage: "rcpt", Category: "greylisted", Class: "transient",
			Code: 451, Enhanced: "4.7.1", Diagnostic: "4.7.1 try \"again\" <b>|\n\x00ü",
		},
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	if r := b.load("a"); len(r.History) != 0 {
		t.Errorf("a new job has a history: %+v", r.History)
	}
	s := refusal(b, 1)
	b.mustSettle(job, s)
	first := *s.Event
	first.Time, first.State, first.NextAttempt = b.now, rohrpost.Deferred, s.Next
	first.Account, first.Level, first.Why = s.Account, s.Level, s.Why
	if !s.Event.Time.IsZero() {
		t.Error("the caller's event has changed")
	}

	b.now = b.now.Add(time.Hour)
	b.mustArm(job, 1, "T2", 0)
	b.mustSettle(job, ledger.Settlement{
		Token: "T2", Revision: 1, State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(accepted),
		Event: &rohrpost.Event{Attempt: 2, Code: 250},
	})
	want := []rohrpost.Event{first, {Time: b.now, State: rohrpost.Accepted, Attempt: 2, Code: 250}}
	if diff := cmp.Diff(want, b.load("a").History); diff != "" {
		t.Error(diff)
	}
	if got := b.load("a").LastFailure(); got.Category != "greylisted" {
		t.Errorf("the last failure is %+v", got)
	}
}

// A mail that is accepted at its first attempt stores no event, and has one.
func TestHistoryOfAWarmMail(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 2)
	b.mustArm(job, 0, "T1", 0, 1)
	b.mustSettle(job, ledger.Settlement{
		Token: "T1", State: rohrpost.Accepted, Counts: true, Verdicts: verdicts(accepted, accepted),
		Account: "tenant:acme", Level: "tenant", Why: "the tenant's own",
	})
	if n := b.rdb.HExists(t.Context(), "rohrpost:job:{a},acme", "hn").Val(); n {
		t.Error("an event is stored")
	}
	want := []rohrpost.Event{{
		Time: b.now, State: rohrpost.Accepted, Attempt: 1, Account: "tenant:acme", Level: "tenant", Why: "the tenant's own",
		Code: 250, Enhanced: "2.0.0", Diagnostic: "said so",
	}}
	if diff := cmp.Diff(want, b.load("a").History); diff != "" {
		t.Error(diff)
	}
}

// The first event and the latest 39 stay, and the record stays small.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	for n := 1; n <= 100; n++ {
		b.mustSettle(job, refusal(b, n))
		if want := min(n, 40); len(b.load("a").History) != want {
			t.Fatalf("%d events after %d", len(b.load("a").History), n)
		}
	}
	var got []int
	for _, e := range b.load("a").History {
		got = append(got, e.Attempt)
	}
	want := []int{1}
	for n := 62; n <= 100; n++ {
		want = append(want, n)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	stored := 0
	for _, field := range b.rdb.HKeys(t.Context(), "rohrpost:job:{a},acme").Val() {
		if field[0] == 'h' && field != "hn" {
			stored++
		}
	}
	if stored != len(want) {
		t.Errorf("%d events are stored", stored)
	}
}

// go-redis repeats a script whose reply was lost, and a worker one that failed.
func TestEventOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	job := b.reserved("a", 1)
	b.mustArm(job, 0, "T1", 0)
	s := refusal(b, 1)
	b.mustSettle(job, s)
	b.now = b.now.Add(time.Second)
	b.mustSettle(job, s)
	if r := b.load("a"); len(r.History) != 1 {
		t.Errorf("%+v", r.History)
	}
	_ = b.settle(job, refusal(b, 1)) // somebody else's, later still
	b.mustSettle(job, refusal(b, 2))
	stale := refusal(b, 1)
	stale.Verdicts = verdicts(accepted) // is written, though the record has moved on
	_ = b.settle(job, stale)
	if r := b.load("a"); len(r.History) != 2 || r.Recipients[0].State != accepted {
		t.Errorf("%+v", r)
	}
}
