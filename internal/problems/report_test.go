package problems_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/problems"
)

func acme() problems.Whose { return problems.Whose{Tenant: "acme"} }

// One line per cause, whatever the number of mails and attempts.
func TestGrouping(t *testing.T) {
	t.Parallel()
	w := open(t)
	begin := w.now
	for i := range 30 { // one refused login, ten mails, three attempts each
		w.fails("acme", "m"+strconv.Itoa(i%10), "tenant/acme", refusedLogin())
		w.advance(time.Second)
	}
	w.fails("acme", "max", "user/acme/max", refusedLogin())
	for i, domain := range []string{"a.example", "b.example", "c.example"} {
		w.fails("acme", "gone"+strconv.Itoa(i), "tenant/acme", noSuchUser(), "x@"+domain)
		w.fails("acme", "grey"+strconv.Itoa(i), "tenant/acme", reply(failure.StageRcpt, 450, "4.7.1 greylisted, try again later"), "x@"+domain)
	}
	w.fails("acme", "large", "tenant/acme", failure.Classify(failure.Cause{Stage: failure.StageMail, Err: failure.ErrTooLarge}))
	w.fails("globex", "other", "tenant/globex", refusedLogin())

	r := w.report(acme())
	if len(r.Problems) != 7 {
		t.Fatalf("%d problems: %+v", len(r.Problems), r.Problems)
	}
	login := find(t, r, problems.Subject{Account: "tenant/acme"}, "auth_failed")
	if login.Attempts != 30 || login.Mails != 10 || !login.First.Equal(begin) || !login.Last.Equal(begin.Add(29*time.Second)) ||
		login.Rule != refusedLogin().Rule || !login.Person || login.Remedy != problems.MendAccount || len(login.Examples) != 5 || login.Became.Unknown != 10 {
		t.Errorf("%+v", login)
	}
	if diff := cmp.Diff([]string{"m9", "m8"}, []string{login.Examples[0].ID, login.Examples[1].ID}); diff != "" {
		t.Errorf("examples are not the newest: %s", diff)
	}
	gone := find(t, r, problems.Subject{}, "")
	if gone.Category != "recipient_unknown" || gone.Mails != 3 || gone.Remedy != problems.MendRecipients || gone.Person {
		t.Errorf("%+v", gone)
	}
	for _, domain := range []string{"a.example", "b.example", "c.example"} {
		if p := find(t, r, problems.Subject{Domain: domain}, ""); p.Category != "greylisted" || p.Mails != 1 {
			t.Errorf("%+v", p)
		}
	}
	for i := range r.Problems {
		if p := &r.Problems[i]; p.Category == "message_too_large" && p.Remedy != problems.MendMail || strings.Contains(p.Account, "globex") {
			t.Errorf("%+v", p)
		}
	}
}

// An operator sees a server that fails once, and the platform's account once.
func TestEverybody(t *testing.T) {
	t.Parallel()
	w := open(t)
	unreachable := failure.Classify(failure.Cause{Stage: failure.StageBanner, Reply: failure.Reply{Code: 421, Lines: []string{"4.3.2 not now"}}})
	for _, tenant := range []string{"acme", "globex"} {
		w.fails(tenant, "down", "tenant/"+tenant, unreachable)
		w.fails(tenant, "shared", "platform", refusedLogin())
	}
	r := w.report(problems.Whose{All: true})
	if len(r.Problems) != 2 {
		t.Fatalf("%+v", r.Problems)
	}
	if p := find(t, r, problems.Subject{Server: "smtp.acme.example:587"}, ""); p.Accounts != 2 || p.Tenants != 2 || p.Remedy != problems.MendServer {
		t.Errorf("%+v", p)
	}
	if p := find(t, r, problems.Subject{Account: "platform"}, ""); p.Tenants != 2 || p.Tenant != "" || p.Mails != 2 || p.Remedy != problems.MendAccount {
		t.Errorf("%+v", p)
	}
	if p := find(t, w.report(acme()), problems.Subject{Account: "platform"}, ""); p.Mails != 1 || p.Remedy != problems.MendOperator {
		t.Errorf("%+v", p)
	}
}

// The log alone says that a mail is tried again at a time that has passed. What became of
// it is said by the ledger.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	w := open(t)
	next := w.now.Add(time.Minute)
	mails := []struct {
		id   string
		ends rohrpost.State
	}{
		{"sent", rohrpost.Accepted}, {"waits", ""}, {"failed", rohrpost.Failed}, {"held", rohrpost.Uncertain}, {"partly", rohrpost.Partly},
	}
	for _, m := range mails {
		job := w.send("acme", m.id)
		w.fails("acme", m.id, "tenant/acme", pauseAsked())
		w.settle(job, rohrpost.Deferred, next)
		if m.ends != "" {
			w.settle(job, m.ends, time.Time{})
		}
	}
	canceled := w.send("acme", "canceled")
	w.fails("acme", "canceled", "tenant/acme", pauseAsked())
	_, err := w.ledger.Cancel(t.Context(), canceled.Key())
	w.must(err)
	w.fails("acme", "forgotten", "tenant/acme", pauseAsked())

	p := find(t, w.report(acme()), problems.Subject{Account: "tenant/acme"}, "")
	want := problems.Became{Asked: 7, Accepted: 1, Waiting: 1, Failed: 1, Held: 1, Partly: 1, Canceled: 1, Unknown: 1}
	if diff := cmp.Diff(want, p.Became); diff != "" {
		t.Error(diff)
	}
	if p.Over() || !p.Person {
		t.Errorf("over %v, needs a person %v", p.Over(), p.Person)
	}
	outcome := func() problems.Outcome {
		t.Helper()
		for _, x := range find(t, w.report(acme()), problems.Subject{Account: "tenant/acme"}, "").Examples {
			if x.ID == "waits" {
				return x.Outcome
			}
		}
		t.Fatal("it is no example")
		return problems.Outcome{}
	}
	w.must(w.rdb.Del(t.Context(), "rohrpost:errors:{acme}").Err())
	w.fails("acme", "waits", "tenant/acme", pauseAsked())
	if o := outcome(); o.State != rohrpost.Deferred || !o.Next.Equal(next) {
		t.Errorf("%+v, want the next attempt at %v", o, next)
	}
	w.advance(2 * time.Minute)
	if o := outcome(); o.State != rohrpost.Deferred || !o.Next.IsZero() {
		t.Errorf("%+v: a next attempt in the past", o)
	}
	job := w.send("acme", "waits")
	w.settle(job, rohrpost.Accepted, time.Time{})
	if o := outcome(); o.State != rohrpost.Accepted || o.Attempts != 2 {
		t.Errorf("%+v, want accepted", o)
	}
	if p := find(t, w.report(acme()), problems.Subject{Account: "tenant/acme"}, ""); !p.Over() {
		t.Errorf("not over: %+v", p)
	}
}

// Another tenant's mail of the same id is none.
func TestOutcomesOfTenants(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.settle(w.send("globex", "4711"), rohrpost.Accepted, time.Time{})
	w.fails("acme", "4711", "tenant/acme", noSuchUser())
	if p := find(t, w.report(acme()), problems.Subject{}, ""); p.Became.Unknown != 1 {
		t.Errorf("%+v", p.Became)
	}
}

// What waits is put to the entries of its cause, and stands first.
func TestWaitingJoinsItsCause(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.fails("acme", "1", "tenant/acme", refusedLogin())
	w.must(w.breaker.Park(t.Context(), "tenant/acme", "1", refusedLogin()))
	w.enqueue("tenant/acme", "parked", w.now.Add(time.Hour), "1,acme", "2,acme", "3,acme")
	w.advance(time.Minute)
	w.fails("acme", "4", "tenant/acme", noSuchUser())
	r := w.report(acme())
	if len(r.Problems) != 2 || r.Problems[0].Waiting == nil || r.Problems[0].Waiting.Mails != 3 || r.Problems[0].Attempts != 1 || r.Problems[0].Waiting.Kind != problems.Parked {
		t.Errorf("%+v", r.Problems)
	}
}

// A tenant learns that the platform's account waits when its own mails have met that,
// and nothing of the others'.
func TestThePlatformWaits(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.must(w.breaker.Park(t.Context(), "platform", "1", reply(failure.StageAuth, 535, "5.7.8 secret of globex")))
	w.enqueue("platform", "parked", w.now.Add(time.Hour), "1,acme", "2,globex", "3,globex")
	if r := w.report(acme()); len(r.Problems) != 0 {
		t.Errorf("%+v", r.Problems)
	}
	w.fails("acme", "1", "platform", refusedLogin())
	r := w.report(acme())
	if len(r.Problems) != 1 || r.Problems[0].Waiting == nil || r.Problems[0].Waiting.Mails != 0 || !r.Problems[0].Waiting.Hidden ||
		r.Problems[0].Remedy != problems.MendOperator || strings.Contains(r.Problems[0].Diagnostic, "globex") || r.Problems[0].Waiting.Diagnostic != "" {
		t.Errorf("%+v %+v", r.Problems, r.Problems[0].Waiting)
	}
	if w := w.report(problems.Whose{}).Problems; len(w) != 1 || w[0].Waiting.Mails != 3 || w[0].Remedy != problems.MendAccount {
		t.Errorf("the platform's own: %+v", w)
	}
}

// A reading that ends early says how far it came.
func TestAnUnfinishedReading(t *testing.T) {
	t.Parallel()
	w := open(t)
	entries := make([]errorlog.Entry, 2000)
	for i := range entries {
		entries[i] = errorlog.Entry{Time: w.now.Add(time.Duration(i-len(entries)) * time.Second), Tenant: "acme", JobID: "m" + strconv.Itoa(i), Account: "tenant/acme"}.Because(refusedLogin())
	}
	w.must(w.log.Append(t.Context(), entries...))
	s, err := problems.New(problems.Options{
		Log: ending{w.log, 700}, Ledger: w.ledger, Backlogs: w.backlog, States: w.states, Now: func() time.Time { return w.now },
	})
	w.must(err)
	r, err := s.Report(t.Context(), acme())
	w.must(err)
	if p := find(t, r, problems.Subject{Account: "tenant/acme"}, ""); p.Mails < 700 || p.Mails == 2000 || r.Back.IsZero() || r.Back.After(p.First) {
		t.Errorf("%d mails, back to %v, first at %v", p.Mails, r.Back, p.First)
	}
}

// A frozen Redis costs some seconds at most.
func TestFrozenRedis(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.must(w.breaker.Park(t.Context(), "tenant/acme", "1", refusedLogin()))
	w.server.Pause()
	defer w.server.Resume()
	begin := time.Now()
	if _, err := w.Report(t.Context(), acme()); err == nil {
		t.Error("no error")
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("a report took %v", took)
	}
	ctx, cancel := contextOf(t, 500*time.Millisecond)
	defer cancel()
	list, _, err := w.Waiting(ctx, acme())
	if err == nil || len(list) != 1 || list[0].Kind != problems.Parked {
		t.Errorf("%v, %+v: what this process knows is missing", err, list)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := problems.New(problems.Options{}); err == nil {
		t.Error("no error")
	}
}
