package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestVersions lets one of two editors through and tells the other.
func TestVersions(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	if _, err := s.Put(t.Context(), olga, acme, 0, entry("b@acme.example")); !errors.Is(err, redisstore.ErrConflict) {
		t.Errorf("as new: %v", err)
	}
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for n := range 20 {
		wg.Go(func() {
			_, err := s.Put(t.Context(), olga, acme, version, entry(fmt.Sprintf("n%d@acme.example", n)))
			results <- err
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, redisstore.ErrConflict) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 20 changes from the same version were taken", won)
	}
	r := get(t, s, acme)
	if err := s.Delete(t.Context(), olga, acme, version); !errors.Is(err, redisstore.ErrConflict) {
		t.Errorf("deleting what has changed: %v", err)
	}
	if err := s.Delete(t.Context(), olga, acme, r.Version); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), olga, acme, r.Version); !errors.Is(err, redisstore.ErrUnknown) {
		t.Errorf("deleting twice: %v", err)
	}
	if again := put(t, s, acme, 0, entry("a@acme.example")); again <= r.Version {
		t.Errorf("a version came back: %d after %d", again, r.Version)
	}
}

func TestSecretsStay(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	password := func() string {
		c, err := s.Accounts(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Tenant.SMTP.Password.Reveal()
	}
	without := func(change func(*resolver.Settings)) *resolver.Entry {
		e := entry("a@acme.example")
		e.Account.SMTP.Password = resolver.Secret{}
		change(e.Account)
		return e
	}
	version = put(t, s, acme, version, without(func(a *resolver.Settings) { a.Name = "ACME" }))
	if password() != canary {
		t.Error("a password that was left out is gone")
	}
	version = put(t, s, acme, version, without(func(a *resolver.Settings) { a.UsePlatformDefault = true })) // O2
	version = put(t, s, acme, version, without(func(*resolver.Settings) {}))
	if password() != canary {
		t.Error("O2: the password did not survive the tick")
	}
	for name, change := range map[string]func(*resolver.Settings){
		"host":      func(a *resolver.Settings) { a.SMTP.Host = "smtp.evil.example" },
		"port":      func(a *resolver.Settings) { a.SMTP.Port = 2525 },
		"user name": func(a *resolver.Settings) { a.SMTP.Username = "other" },
		"provider":  func(a *resolver.Settings) { a.Provider, a.SMTP.Host = "gmx", "" },
		"encryption": func(a *resolver.Settings) {
			a.SMTP.Encryption, a.SMTP.Port, a.SMTP.AllowPlaintextLogin = "none", 587, true
		},
	} {
		_, err := s.Put(t.Context(), anna, acme, version, without(change))
		if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "smtp.password" || !strings.Contains(field.Problem, "given again") {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := entry("a@acme.example")
	e.Account.SMTP.Host, e.Account.SMTP.Password = "smtp2.acme.example", resolver.NewSecret("canary-2")
	put(t, s, acme, version, e)
	if password() != "canary-2" {
		t.Error("the new password is not in use")
	}
	if e.Account.SMTP.Password.Reveal() != "canary-2" {
		t.Error("Put has changed what it was given")
	}
	if all := everything(t, rdb); strings.Contains(all, "canary") {
		t.Error("a password stands in Redis")
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	for name, tt := range map[string]struct {
		place resolver.Place
		entry func(*resolver.Entry)
		field string
	}{
		"address":                {acme, func(e *resolver.Entry) { e.Account.Address = "no" }, "address"},
		"file":                   {acme, func(e *resolver.Entry) { e.Account.SMTP.PasswordFile = "/etc/shadow" }, "smtp.password_file"},
		"central sender of user": {maxM, func(e *resolver.Entry) { e.Account.CentralSender = &resolver.Mailbox{Address: "s@acme.example"} }, "central_sender"},
		"fallback of a user":     {maxM, func(e *resolver.Entry) { e.Account.Fallback = resolver.FallbackPlatform }, "fallback"},
		"order of a user":        {maxM, func(e *resolver.Entry) { e.Order = &resolver.Order{} }, "order"},
		"order":                  {acme, func(e *resolver.Entry) { e.Order = &resolver.Order{Manual: []resolver.Level{"boss"}} }, "order.manual"},
		"order twice":            {acme, func(e *resolver.Entry) { e.Order = &resolver.Order{Manual: []resolver.Level{"user", "user"}} }, "order.manual"},
		"names of a tenant":      {acme, func(e *resolver.Entry) { e.FirstName = "x" }, "first_name"},
		"admin of a user":        {maxM, func(e *resolver.Entry) { e.AdminAddress = "x@acme.example" }, "admin_address"},
		"id":                     {resolver.Place{Tenant: "a\x00b"}, func(*resolver.Entry) {}, "tenant"},
		"user without tenant":    {resolver.Place{User: "max"}, func(*resolver.Entry) {}, "tenant"},
		"unknown provider":       {acme, func(e *resolver.Entry) { e.Account.Provider = "hotmail" }, "provider"},
		"limits":                 {acme, func(e *resolver.Entry) { e.Account.Limits = &resolver.Limits{PerDay: -1} }, "limits.per_day"},
	} {
		e := entry("a@acme.example")
		tt.entry(e)
		_, err := s.Put(t.Context(), olga, tt.place, 0, e)
		if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != tt.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := s.Entries(); n != 0 {
		t.Errorf("%d entries", n)
	}
}

// TestLife is S1, S2 and F1: who may do which step, and what state follows.
func TestLife(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.Policy = redisstore.Policy{Unlock: true, Check: true, Approve: true}
	s := open(t, o)
	bert := redisstore.Actor{Name: "bert", Role: redisstore.Admin, Tenant: "globex"}
	nobody := redisstore.Actor{Name: "nobody", Role: "reader", Tenant: "acme"}
	var version int64
	type try = func(ctx context.Context, who redisstore.Actor) error
	enter := func(address string) try {
		return func(ctx context.Context, who redisstore.Actor) (err error) {
			v, err := s.Put(ctx, who, maxM, version, entry(address))
			if err == nil {
				version = v
			}
			return err
		}
	}
	unlock := func(on bool) try {
		return func(ctx context.Context, who redisstore.Actor) error { return s.Unlock(ctx, who, "acme", on) }
	}
	check := func(ctx context.Context, who redisstore.Actor) error { return s.MarkChecked(ctx, who, maxM, version) }
	approve := func(ctx context.Context, who redisstore.Actor) error { return s.Approve(ctx, who, maxM, version) }
	for _, tt := range []struct {
		name    string
		do      try
		refused []redisstore.Actor
		by      redisstore.Actor
		want    string // state afterwards; empty: none stored
	}{
		{"S1 enter while locked", nil, []redisstore.Actor{anna, bert, nobody}, redisstore.Actor{}, ""},
		{"S1 unlock", unlock(true), []redisstore.Actor{anna, bert, nobody}, olga, ""},
		{"F1 enter", enter("max@acme.example"), []redisstore.Actor{bert, nobody}, anna, "entered"},
		{"S2 approve too early", nil, []redisstore.Actor{olga}, redisstore.Actor{}, "entered"},
		{"S2 check", check, []redisstore.Actor{bert, nobody}, anna, "checked"},
		{"S2 approve", approve, []redisstore.Actor{anna, bert, nobody}, olga, "active"},
		{"S2 new settings begin anew", enter("m@acme.example"), nil, anna, "entered"},
		{"check again", check, nil, olga, "checked"},
		{"approve again", approve, nil, olga, "active"},
		{"S1 lock", unlock(false), []redisstore.Actor{anna}, olga, "locked"},
	} {
		if tt.do == nil { // every refused actor tries, nobody succeeds
			tt.do = enter("max@acme.example")
			if tt.want != "" {
				tt.do = approve
			}
		}
		for _, who := range tt.refused {
			if err := tt.do(t.Context(), who); err == nil {
				t.Errorf("%s: %s may", tt.name, who.Name)
			}
		}
		if tt.by.Name != "" {
			if err := tt.do(t.Context(), tt.by); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		r, err := s.Get(t.Context(), maxM)
		if tt.want == "" && !errors.Is(err, redisstore.ErrUnknown) || tt.want != "" && (err != nil || r.Account.State.String() != tt.want) {
			t.Errorf("%s: %v, %+v", tt.name, err, r)
		}
		if r != nil {
			version = r.Version
		}
	}
	// Only the platform's account needs nothing of this.
	put(t, s, resolver.Place{}, 0, entry("noreply@platform.example"))
	if r := get(t, s, resolver.Place{}); r.Account.State != resolver.Active || !r.Account.Trusted {
		t.Errorf("platform: %+v", r.Account)
	}
	if err := s.MarkChecked(t.Context(), anna, maxM, version-1); !errors.Is(err, redisstore.ErrConflict) {
		t.Errorf("a check of settings that are not there any more: %v", err)
	}
}

// TestChecksEnd: what was checked and approved holds until something changes that
// decides how mails are sent.
func TestChecksEnd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*resolver.Entry)
		ends   bool
	}{
		"password":     {func(e *resolver.Entry) { e.Account.SMTP.Password = resolver.NewSecret("canary-2") }, true},
		"alias":        {func(e *resolver.Entry) { e.Account.Aliases = []string{"b@acme.example"} }, true},
		"reverse path": {func(e *resolver.Entry) { e.Account.ReversePath = "b@acme.example" }, true},
		"no account":   {func(e *resolver.Entry) { e.Account, e.AdminAddress = nil, "x@acme.example" }, true},
		"name":         {func(e *resolver.Entry) { e.Account.Name = "ACME" }, false},
		"O2 the tick":  {func(e *resolver.Entry) { e.Account.UsePlatformDefault = true }, false},
		"fallback":     {func(e *resolver.Entry) { e.Account.Fallback = resolver.FallbackPlatform }, false},
		"admin":        {func(e *resolver.Entry) { e.AdminAddress = "it@acme.example" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, o := start(t)
			s := open(t, o)
			version := put(t, s, acme, 0, entry("a@acme.example"))
			if err := s.MarkChecked(t.Context(), anna, acme, version); err != nil {
				t.Fatal(err)
			}
			if err := s.Approve(t.Context(), olga, acme, version+1); err != nil {
				t.Fatal(err)
			}
			e := withoutPassword(entry("a@acme.example"))
			tt.change(e)
			put(t, s, acme, version+2, e)
			if r := get(t, s, acme); r.Checked == tt.ends || r.Approved == tt.ends {
				t.Errorf("checked %v, approved %v", r.Checked, r.Approved)
			}
		})
	}
}

// TestStatesByPolicy is every policy without its steps, and with them.
func TestStatesByPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy redisstore.Policy
		want   resolver.State
	}{
		{redisstore.Policy{}, resolver.Active},
		{redisstore.Policy{Unlock: true}, resolver.Locked},
		{redisstore.Policy{Check: true}, resolver.Entered},
		{redisstore.Policy{Approve: true}, resolver.Checked},
		{redisstore.Policy{Unlock: true, Check: true}, resolver.Locked},
		{redisstore.Policy{Check: true, Approve: true}, resolver.Entered},
	} {
		_, o := start(t)
		o.Policy = tt.policy
		s := open(t, o)
		put(t, s, acme, 0, entry("a@acme.example"))
		if got := get(t, s, acme).Account.State; got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.policy, got, tt.want)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	e := entry("b@acme.example")
	e.Account.SMTP.Password, e.Account.SMTP.Port = resolver.NewSecret("canary-2"), 465
	version, err := s.Put(t.Context(), anna, acme, version, e)
	if err != nil {
		t.Fatal(err)
	}
	if same := put(t, s, acme, version, withoutPassword(e)); same != version {
		t.Error("storing the same made a new version")
	}
	if err := s.Delete(t.Context(), olga, acme, version); err != nil {
		t.Fatal(err)
	}
	changes, err := s.History(t.Context(), anna, "acme", 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []redisstore.Change{
		{Actor: olga, Action: "delete", Place: acme, Fields: []redisstore.FieldChange{
			{Field: "account.address", Old: "b@acme.example"},
			{Field: "account.smtp.host", Old: "smtp.acme.example"},
			{Field: "account.smtp.port", Old: "465"},
			{Field: "account.smtp.password", New: "removed"},
		}},
		{Actor: anna, Action: "set", Place: acme, Version: 2, Fields: []redisstore.FieldChange{
			{Field: "account.address", Old: "a@acme.example", New: "b@acme.example"},
			{Field: "account.smtp.port", New: "465"},
			{Field: "account.smtp.password", New: "changed"},
		}},
		{Actor: olga, Action: "set", Place: acme, Version: 1, Fields: []redisstore.FieldChange{
			{Field: "account.address", New: "a@acme.example"},
			{Field: "account.smtp.host", New: "smtp.acme.example"},
			{Field: "account.smtp.password", New: "changed"},
		}},
	}
	if diff := cmp.Diff(want, changes, cmpopts.IgnoreFields(redisstore.Change{}, "Time")); diff != "" {
		t.Error(diff)
	}
	bert := redisstore.Actor{Name: "bert", Role: redisstore.Admin, Tenant: "globex"}
	if _, err := s.History(t.Context(), bert, "acme", 10); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("another tenant's admin: %v", err)
	}
}

func withoutPassword(e *resolver.Entry) *resolver.Entry {
	c := *e
	c.Account = e.Account.Clone()
	c.Account.SMTP.Password = resolver.Secret{}
	return &c
}
