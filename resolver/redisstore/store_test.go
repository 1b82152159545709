package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
	"github.com/rohrpost/rohrpost/resolver/resolvertest"
)

func TestIsAStore(t *testing.T) {
	t.Parallel()
	resolvertest.Run(t, func(t *testing.T, f resolvertest.Fixture) resolver.Store {
		t.Helper()
		_, o := start(t)
		s := open(t, o)
		if f.Platform != nil {
			put(t, s, resolver.Place{}, 0, &resolver.Entry{AdminAddress: f.PlatformAdmin, Account: settings(f.Platform)})
		}
		for id, tenant := range f.Tenants {
			put(t, s, resolver.Place{Tenant: id}, 0, &resolver.Entry{AdminAddress: tenant.Admin, Account: settings(tenant.Account)})
			for user, u := range tenant.Users {
				put(t, s, resolver.Place{Tenant: id, User: user}, 0, &resolver.Entry{FirstName: u.FirstName, LastName: u.LastName, Account: settings(u.Account)})
			}
		}
		return open(t, o)
	})
}

// settings writes every field of an account out.
func settings(a *resolver.Account) *resolver.Settings {
	if a == nil {
		return nil
	}
	s := a.SMTP
	out := &resolver.Settings{
		Address: a.Address, Name: a.Name, ForceSender: &a.ForceSender, ReplyToUser: a.ReplyToUser, Aliases: a.Aliases,
		UsePlatformDefault: a.UsePlatformDefault, Fallback: a.Fallback,
		SMTP: &resolver.SMTPSettings{
			Host: s.Host, Port: s.Port, Encryption: string(s.Encryption), Authentication: &s.Authentication, Username: s.Username,
			Password: s.Password, AllowPlaintextLogin: s.AllowPlaintextLogin, MaxConnections: s.MaxConnections,
		},
	}
	if c := a.CentralSender; c.Address != "" {
		out.CentralSender = &resolver.Mailbox{Address: c.Address, Name: c.Name}
	}
	return out
}

// TestChangeIsSeen is a change in one process and its use in another, within a
// second and without the TTL.
func TestChangeIsSeen(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.Policy.Unlock = true
	editor, worker := open(t, o), open(t, o)
	run(t, worker)
	address := func() string {
		c, err := worker.Accounts(t.Context(), "acme", "max")
		if err != nil {
			t.Fatal(err)
		}
		if c.User == nil {
			return "none"
		}
		return c.User.Address + " " + c.User.State.String()
	}
	seen := func(want string) {
		t.Helper()
		begin := time.Now()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for address() != want {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("it is %q, want %q", address(), want)
			}
			<-tick.C
		}
		t.Logf("%s: seen after %v", want, time.Since(begin).Round(time.Millisecond))
	}
	seen("none")
	version := put(t, editor, maxM, 0, entry("max@acme.example"))
	seen("max@acme.example locked")
	if err := editor.Unlock(t.Context(), olga, "acme", true); err != nil { // of the tenant changes the user's
		t.Fatal(err)
	}
	seen("max@acme.example active")
	version = put(t, editor, maxM, version, entry("m@acme.example"))
	seen("m@acme.example active")
	if err := editor.Delete(t.Context(), olga, maxM, version); err != nil {
		t.Fatal(err)
	}
	seen("none")
}

// TestConnectionLost: a change whose announcement was missed is seen as soon as
// the connection is back.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	worker := open(t, o)
	run(t, worker)
	put(t, open(t, o), acme, 0, entry("a@acme.example"))
	address := func() string {
		c, err := worker.Accounts(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		if c.Tenant == nil {
			return ""
		}
		return c.Tenant.Address
	}
	until(t, "the account is in memory", func() bool { return address() == "a@acme.example" })
	// Changes of which nobody is told, until one comes after the worker's
	// subscription, which makes it read everything again.
	const key = "rohrpost:accounts:{t:acme}"
	was, is := "", "a@acme.example"
	for n := 0; was != address(); n++ {
		was, is = is, fmt.Sprintf("b%d@acme.example", n)
		record := strings.Replace(rdb.HGet(t.Context(), key, "tenant").Val(), was, is, 1)
		if err := rdb.HSet(t.Context(), key, "tenant", record).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := rdb.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "the change is seen", func() bool { return address() == is })
}

// until waits for something that another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestWhatBelongsToATenant(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	e := entry("a@acme.example")
	e.AdminAddress, e.Order = "it@acme.example", &resolver.Order{Manual: []resolver.Level{resolver.Tenant}}
	e.Branding = &resolver.Branding{Enabled: true, Company: "ACME"}
	put(t, s, acme, 0, e)
	c, err := s.Accounts(t.Context(), "acme", "nobody")
	if err != nil || c.TenantAdmin != "it@acme.example" || len(c.Order.Manual) != 1 || c.Branding == nil || c.Branding.Company != "ACME" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestTTL reads a record again in the background, for when nobody announces.
func TestTTL(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	editor := open(t, o)
	now := make(chan time.Time, 1)
	now <- time.Now()
	clock := func() time.Time { at := <-now; now <- at; return at }
	o.Now, o.TTL = clock, time.Minute
	worker := open(t, o) // without Run
	version := put(t, editor, acme, 0, entry("a@acme.example"))
	address := func() string {
		c, err := worker.Accounts(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Tenant.Address
	}
	if address() != "a@acme.example" {
		t.Fatal(address())
	}
	put(t, editor, acme, version, entry("b@acme.example"))
	if got := address(); got != "a@acme.example" {
		t.Fatalf("%s: it is not in memory", got)
	}
	now <- (<-now).Add(time.Minute)
	for deadline := time.Now().Add(10 * time.Second); address() != "b@acme.example"; {
		if time.Now().After(deadline) {
			t.Fatal("it was not read again")
		}
	}
}

func TestMaxEntries(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	o.MaxEntries = 10
	s := open(t, o)
	for n := range 100 {
		if _, err := s.Accounts(t.Context(), strings.Repeat("t", n+1), "max"); err != nil {
			t.Fatal(err)
		}
		if got := s.Entries(); got > 10 {
			t.Fatalf("%d entries", got)
		}
	}
}

func TestRedisAway(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	put(t, s, acme, 0, entry("a@acme.example"))
	if _, err := s.Accounts(t.Context(), "acme", ""); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Accounts(t.Context(), "acme", ""); err != nil || c.Tenant == nil {
		t.Errorf("what is in memory: %v", err)
	}
	if _, err := s.Accounts(t.Context(), "globex", ""); err == nil {
		t.Error("what is not in memory was answered")
	}
}

// TestWithoutKey: who can store needs no key that opens.
func TestWithoutKey(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	editor := open(t, redisstore.Options{Redis: rdb, Recipients: []string{recipient}})
	put(t, editor, acme, 0, entry("a@acme.example"))
	c, err := editor.Accounts(t.Context(), "acme", "")
	if err != nil || !strings.Contains(c.Tenant.Unusable, "secrets.identity_file") {
		t.Errorf("without a key: %v, %q", err, c.Tenant.Unusable)
	}
	o.Recipients = []string{recipient} // and an identity that does not fit
	c, err = open(t, o).Accounts(t.Context(), "acme", "")
	if err != nil || !strings.Contains(c.Tenant.Unusable, "cannot be opened") || strings.Contains(c.Tenant.SMTP.Password.Reveal(), canary) {
		t.Errorf("with another key: %v, %q", err, c.Tenant.Unusable)
	}
	c, err = open(t, redisstore.Options{Redis: rdb, Identities: identity}).Accounts(t.Context(), "acme", "")
	if err != nil || c.Tenant.Unusable != "" || c.Tenant.SMTP.Password.Reveal() != canary {
		t.Errorf("with the key: %v, %q", err, c.Tenant.Unusable)
	}
	_, err = open(t, redisstore.Options{Redis: rdb}).Put(t.Context(), olga, maxM, 0, entry("max@acme.example"))
	if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "smtp.password" || !strings.Contains(field.Problem, "keygen") {
		t.Errorf("storing without any key: %v", err)
	}
}

// TestDamaged is one clear error for what somebody else has written.
func TestDamaged(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	for _, value := range []string{"", "{", "[]", `{"entry":1}`} {
		rdb.HSet(t.Context(), "rohrpost:accounts:{t:acme}", "tenant", value, "#tenant", 1)
		if _, err := s.Accounts(t.Context(), "acme", ""); err == nil || !strings.Contains(err.Error(), "tenant/acme is damaged") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	_, err := redisstore.New(redisstore.Options{TTL: -1, Recipients: []string{"AGE-SECRET-KEY-1CANARY"}})
	for _, want := range []string{"redis is required", "TTL", "secrets.recipients"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "CANARY") {
		t.Error("a private key is in the error")
	}
}
