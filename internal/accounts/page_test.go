package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// ids are those of a list's lines.
func ids(l accounts.Listing) (out []string) {
	for _, line := range l.Lines {
		out = append(out, line.ID)
	}
	return out
}

// TestPage goes through a tenant's accounts page by page, each once and in order.
func TestPage(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	want := []string{"tenant/acme"}
	for i := range 130 {
		user := fmt.Sprintf("u%03d", i)
		e := &resolver.Entry{FirstName: "Max"}
		if i%2 == 0 {
			e.Account = o.settings(user + "@acme.example")
		}
		o.put(resolver.Place{Tenant: "acme", User: user}, e)
		want = append(want, "user/acme/"+user)
	}
	o.put(resolver.Place{Tenant: "globex", User: "u001"}, &resolver.Entry{FirstName: "Eva"})
	var got []string
	pages := 0
	for q := (accounts.Query{Tenant: "acme"}); ; pages++ {
		page, err := o.Page(t.Context(), anna(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(page)...)
		if q.After = page.Next; page.Next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != 2 {
		t.Errorf("%d pages (-want +got):\n%s", pages+1, diff)
	}
	for filter, n := range map[accounts.Filter]int{accounts.Everything: 10, accounts.NoAccount: 5, accounts.Troubled: 0} {
		page, err := o.Page(t.Context(), anna(), accounts.Query{Tenant: "acme", Prefix: "u01", Filter: filter})
		if err != nil || len(page.Lines) != n || page.Next != "" {
			t.Errorf("%q: %d lines, next %q, %v", filter, len(page.Lines), page.Next, err)
		}
	}
	for _, who := range []redisstore.Actor{bob(), {Name: "max", Role: redisstore.Person, Tenant: "acme", User: "u001"}} {
		if _, err := o.Page(t.Context(), who, accounts.Query{Tenant: "acme"}); !errors.Is(err, redisstore.ErrForbidden) {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	names, err := o.Tenants(t.Context(), "g", "", 10)
	if diff := cmp.Diff([]string{"globex"}, names); diff != "" || err != nil {
		t.Errorf("tenants %v, %s", err, diff)
	}
}

// sent are the tenants that have sent mail.
type sent []string

func (s sent) Tenants(_ context.Context, prefix, after string, n int) ([]string, error) {
	var names []string
	for _, name := range s {
		if strings.HasPrefix(name, prefix) && name > after && len(names) < n {
			names = append(names, name)
		}
	}
	return names, nil
}

// TestTenants: the tenants of a page have sent mail, or something is stored of them.
func TestTenants(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"in Redis":  "",
		"in a file": "tenants:\n  acme: {users: {max: {first_name: Max}, eva: {first_name: Eva}}}\n  globex: {users: {max: {first_name: Max}}}\n  initech: {users: {max: {first_name: Max}}}\n",
	} {
		o := open(t, file)
		o.options.Senders = sent{"acme", "b", "hooli", "zz"}
		service := must(t, accounts.New, o.options)
		if file == "" {
			for _, tenant := range []string{"acme", "globex", "initech"} {
				o.put(resolver.Place{Tenant: tenant, User: "max"}, &resolver.Entry{FirstName: "Max"})
			}
		}
		want := []string{"acme", "b", "globex", "hooli", "initech", "zz"}
		for n := 1; n < 8; n++ {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				page, err := service.Tenants(t.Context(), "", after, n)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %d at a time (-want +got):\n%s", name, n, diff)
			}
		}
		if got, err := service.Tenants(t.Context(), "g", "", 5); err != nil || len(got) != 1 || got[0] != "globex" {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if lines, err := service.TenantLines(t.Context(), olga(), want); err != nil || len(lines) != len(want) {
			t.Errorf("%s: %d lines, %v", name, len(lines), err)
		}
	}
}

// TestStanding is the true state of an account: blocked, until when, what waits, when one
// was accepted last. Why a tenant's server cannot be reached is the operator's to know.
func TestStanding(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	o.put(maxM, &resolver.Entry{Account: o.settings("max@acme.example")})
	b := o.options.Breaker
	target := func(p resolver.Place) *breaker.Target {
		a, _, err := o.Find(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		return &breaker.Target{Account: a.ID(), Tenant: "acme", Server: breaker.ServerOf(a), Fingerprint: a.Fingerprint}
	}
	line := func(p resolver.Place) accounts.Line {
		t.Helper()
		page, err := o.Page(t.Context(), anna(), accounts.Query{Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			if l.Place == p {
				return l
			}
		}
		t.Fatalf("%s is not there", p)
		return accounts.Line{}
	}
	b.Record(t.Context(), target(acme), breaker.Result{Accepted: true, Reached: true})
	if err := b.NoteAccepted(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l := line(acme); time.Since(l.Accepted) > time.Minute || l.Block != nil || l.State != "active" || l.Waiting != 0 {
		t.Errorf("works: %+v", l)
	}
	slow := failure.Classify(failure.Cause{Stage: failure.StageMail, Reply: failure.Reply{Code: 421, Lines: []string{"4.7.0 too many messages, slow down"}}})
	for range 3 {
		b.Record(t.Context(), target(maxM), breaker.Result{Failure: slow})
	}
	if err := b.Await(t.Context(), target(maxM), queue.Ref{Queue: "default", ID: "job-1"}, slow); err != nil {
		t.Fatal(err)
	}
	if l := line(maxM); l.Block == nil || l.Block.Kind != breaker.Slow || l.Block.Until.IsZero() || l.Waiting != 1 || l.Block.Rule == 0 {
		t.Errorf("slow: %+v, %+v", l, l.Block)
	}
	down := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: errors.New("connection refused")})
	for range 3 {
		b.Record(t.Context(), target(acme), breaker.Result{Failure: down})
	}
	if l := line(acme); l.Block == nil || l.Block.Kind != breaker.Down || l.Block.Category != "" || l.Block.Rule != 0 {
		t.Errorf("down: %+v", l.Block)
	}
	page, err := o.Page(t.Context(), anna(), accounts.Query{Tenant: "acme", Filter: accounts.Troubled})
	if err != nil || len(page.Lines) != 2 {
		t.Errorf("trouble: %v, %v", ids(page), err)
	}
}

// TestSave: what two people change in different parts both stays; in the same part the
// second one is told what the first has done.
func TestSave(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.put(acme, &resolver.Entry{Account: o.settings("info@acme.example")})
	address := func(who redisstore.Actor, version int64, to string) (int64, error) {
		return o.Save(t.Context(), accounts.Edit{
			Who: who, Place: acme, Version: version, Part: []string{"account"}, Apply: func(e *resolver.Entry) { e.Account.Address = to },
		})
	}
	admin := func(version int64, to string) (int64, error) {
		return o.Save(t.Context(), accounts.Edit{
			Who: olga(), Place: acme, Version: version, Part: []string{"admin_address"}, Apply: func(e *resolver.Entry) { e.AdminAddress = to },
		})
	}
	if _, err := admin(1, "it@acme.example"); err != nil {
		t.Fatal(err)
	}
	version, err := address(anna(), 1, "new@acme.example")
	if err != nil || version != 3 {
		t.Errorf("version %d, %v", version, err)
	}
	_, err = address(olga(), 2, "late@acme.example")
	conflict, ok := errors.AsType[*accounts.Conflict](err)
	if !ok || conflict.Version != 3 || len(conflict.Changes) != 1 || conflict.Changes[0].Actor.Name != "anna" || !errors.Is(err, redisstore.ErrConflict) {
		t.Fatalf("%+v", err)
	}
	if _, err := address(olga(), conflict.Version, "late@acme.example"); err != nil {
		t.Error(err)
	}
	r, err := o.Record(t.Context(), acme)
	if err != nil || r.Entry.AdminAddress != "it@acme.example" || r.Entry.Account.Address != "late@acme.example" || r.Account.SMTP.Password.Reveal() != hunter2 {
		t.Errorf("%+v, %v", r.Entry, err)
	}
	if err := o.Delete(t.Context(), olga(), acme, r.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := address(anna(), r.Version, "x@acme.example"); !errors.Is(err, redisstore.ErrConflict) {
		t.Errorf("into what is deleted: %v", err)
	}
	if _, err := open(t, file).Save(t.Context(), accounts.Edit{Who: olga(), Place: acme}); !errors.Is(err, accounts.ErrFile) {
		t.Errorf("into a file: %v", err)
	}
}

// TestSignInElsewhere begins in one process and ends in another. Who reads Redis finds
// neither the verifier nor the application's secret.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	s := openSite(t, "")
	back := s.signIn(s.ask())
	for _, key := range s.rdb.Keys(t.Context(), "rohrpost:connect:*").Val() {
		if value := s.rdb.Get(t.Context(), key).Val(); strings.Contains(value, "verifier") || strings.Contains(value, hunter2) || strings.Contains(value, "olga") {
			t.Errorf("%s is readable: %q", key, value)
		}
	}
	s.restart()
	if status := s.visit(session, back); status != 200 || len(s.done) != 1 {
		t.Errorf("status %d, %v", status, s.done)
	}
	if left := s.rdb.Keys(t.Context(), "rohrpost:connect:{*").Val(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}
