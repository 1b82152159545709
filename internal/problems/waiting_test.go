package problems_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/resolver"
)

func everybody() problems.Whose { return problems.Whose{All: true} }

// trip has three mails meet the same failure of a target.
func (w *world) trip(t *breaker.Target, f *failure.Failure) {
	w.tb.Helper()
	for range 3 {
		w.breaker.Record(w.tb.Context(), t, breaker.Result{Failure: f})
	}
}

// A provider asks for a pause: its account waits, though hardly an attempt has failed.
func TestAPauseIsSeen(t *testing.T) {
	t.Parallel()
	w := open(t)
	target := &breaker.Target{Account: "tenant/acme", Tenant: "acme", Server: "smtp.acme.example:587 starttls", Fingerprint: func() string { return "1" }}
	w.trip(target, pauseAsked())
	w.enqueue("tenant/acme", "slow", w.now.Add(time.Hour), "1,acme", "2,acme")
	list := w.waiting(acme())
	if len(list) != 1 || list[0].Kind != problems.Slow || list[0].Mails != 2 || !list[0].Until.After(w.now) || list[0].Tenant != "acme" || list[0].Category != pauseAsked().Category {
		t.Fatalf("%+v", list)
	}
	if r := w.report(acme()); len(r.Problems) != 1 || r.Problems[0].Waiting == nil || r.Problems[0].Mails != 0 || r.Problems[0].Over() {
		t.Errorf("%+v", r.Problems)
	}
	if list := w.waiting(problems.Whose{Tenant: "globex"}); len(list) != 0 {
		t.Errorf("another tenant sees %+v", list)
	}
	w.advance(24 * time.Hour) // its pause is over
	if list := w.waiting(acme()); len(list) != 1 || !list[0].Until.IsZero() {
		t.Errorf("%+v: it waits until a time in the past", list)
	}
	w.must(w.rdb.Del(t.Context(), "rohrpost:backlog:{tenant/acme}:mails").Err())
	if list := w.waiting(acme()); len(list) != 0 {
		t.Errorf("%+v, but nothing waits", list)
	}
}

// A server that is down is one line for operators. A tenant sees its own account, and
// nothing that another one's mail was told.
func TestAServerIsDown(t *testing.T) {
	t.Parallel()
	w := open(t)
	down := reply(failure.StageBanner, 421, "4.3.2 said to globex")
	w.trip(&breaker.Target{Account: "tenant/globex", Tenant: "globex", Server: "smtp.shared.example:587 starttls (tenants)"}, down)
	for _, tenant := range []string{"acme", "globex"} {
		account := &resolver.Account{Tenant: tenant}
		account.SMTP.Host, account.SMTP.Port = "smtp.shared.example", 587
		w.accounts[resolver.Place{Tenant: tenant}] = account
		w.enqueue("tenant/"+tenant, "down", w.now.Add(time.Minute), "1,"+tenant, "2,"+tenant)
	}
	for servers := range 2 {
		if servers == 1 { // another one is down: whose mails wait for which must be looked up
			w.trip(&breaker.Target{Account: "tenant/initech", Tenant: "initech", Server: "smtp.other.example:587 starttls"}, down)
		}
		list := w.waiting(everybody())
		if len(list) != 1+servers || list[0].Server != "smtp.shared.example:587" || list[0].Mails != 4 || list[0].Accounts != 2 || list[0].Since.IsZero() {
			t.Errorf("%+v", list)
		}
	}
	list := w.waiting(acme())
	if len(list) != 1 || list[0].Kind != problems.Down || list[0].Account != "tenant/acme" || list[0].Server != "smtp.shared.example:587" ||
		list[0].Mails != 2 || list[0].Diagnostic != "" || !list[0].Until.After(w.now) {
		t.Errorf("%+v", list)
	}
	w.accounts[resolver.Place{Tenant: "acme"}].SMTP.Host = "smtp.new.example"
	w.advance(time.Hour)
	if list := w.waiting(acme()); len(list) != 1 || list[0].Kind != problems.Busy || list[0].Mails != 2 {
		t.Errorf("of an account that has another server now: %+v", list)
	}
	delete(w.accounts, resolver.Place{Tenant: "acme"})
	if list := w.waiting(acme()); len(list) != 1 || list[0].Kind != problems.Down || list[0].Server != "" || list[0].Mails != 2 {
		t.Errorf("of an account that nobody finds: %+v", list)
	}
}

// An account's own limit is told with the time at which it goes on, connections that are
// taken only when that takes long.
func TestBacklogs(t *testing.T) {
	t.Parallel()
	w := open(t)
	due := w.now.Add(time.Hour)
	w.enqueue("user/acme/max", "rate", due, "1,acme", "2,acme", "3,acme")
	w.enqueue("tenant/acme", "busy", w.now, "4,acme")
	w.enqueue("tenant/globex", "rate", w.now.Add(10*time.Second), "5,globex")
	list := w.waiting(everybody())
	if len(list) != 1 || list[0].Kind != problems.Rate || list[0].Account != "user/acme/max" || list[0].Mails != 3 || !list[0].Until.Equal(due.Truncate(time.Millisecond)) {
		t.Errorf("%+v", list)
	}
	w.advance(10 * time.Minute)
	if list := w.waiting(acme()); len(list) != 2 || list[1].Kind != problems.Busy || list[1].Mails != 1 {
		t.Errorf("%+v", list)
	}
}

// Mails that wait for settings are counted as long as they wait.
func TestMailsForSettings(t *testing.T) {
	t.Parallel()
	w := open(t)
	f := reply(failure.StageMail, 550, "5.7.60 client does not have permissions to send as this sender")
	target := &breaker.Target{Account: "tenant/acme", Tenant: "acme", Fingerprint: func() string { return "1" }}
	for i := range 3 {
		job := w.send("acme", strconv.Itoa(i))
		w.settle(job, rohrpost.Deferred, w.now.Add(time.Hour))
		w.must(w.breaker.Await(t.Context(), target, queue.Ref{Queue: "default", ID: string(job.Key())}, f))
		if i == 0 {
			w.settle(job, rohrpost.Expired, time.Time{})
		}
	}
	list := w.waiting(acme())
	if len(list) != 1 || list[0].Kind != problems.Settings || list[0].Mails != 2 || list[0].Rule != f.Rule {
		t.Fatalf("%+v", list)
	}
	if r := w.report(acme()); !r.Problems[0].Person || r.Problems[0].Remedy != problems.MendAccount {
		t.Errorf("%+v", r.Problems[0])
	}
}

// BenchmarkWaiting asks what waits among 100,000 accounts of 10,000 tenants, of which 500
// are blocked and 5,000 have a backlog.
func BenchmarkWaiting(b *testing.B) {
	w := open(b)
	for i := range 5000 {
		account := "tenant/t" + strconv.Itoa(i)
		w.enqueue(account, "busy", w.now, "1,t"+strconv.Itoa(i))
		if i < 500 {
			w.must(w.breaker.Park(b.Context(), account, "1", refusedLogin()))
		}
	}
	for name, whose := range map[string]problems.Whose{"everybody": everybody(), "one": {Tenant: "t7"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := w.Waiting(b.Context(), whose); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReport groups a log of 20,000 entries.
func BenchmarkReport(b *testing.B) {
	w := open(b)
	for i := range 20_000 {
		w.fails("acme", "m"+strconv.Itoa(i), "tenant/acme", noSuchUser())
	}
	for b.Loop() {
		w.report(acme())
	}
}
