package notice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// A desk is a Redis, accounts that stop, and the mails that were enqueued, at a time that
// the test sets.
type desk struct {
	*testing.T
	rdb    redis.UniversalClient
	client *producer.Client
	log    bytes.Buffer

	mu     sync.Mutex
	at     time.Time
	states map[string]*breaker.State
	admins map[string]string
	mails  []rohrpost.Message // each once
	calls  int                // of Send
	fail   func(calls int) error
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{
		T: t, rdb: redistest.Start(t).Client(t), at: time.Date(2026, 11, 30, 6, 20, 0, 0, time.UTC), states: map[string]*breaker.State{},
		admins: map[string]string{"": "admin@platform.example", "acme": "it@acme.example", "globex": "it@globex.example"},
	}
	var err error
	if d.client, err = producer.New(d.rdb, producer.Options{Now: d.now}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(t)
}

// notifier is that of another process.
func (d *desk) notifier(change ...func(*Options)) *Notifier {
	d.Helper()
	o := Options{
		Redis: d.rdb, States: d.all, Accounts: d, Send: d.send, Operators: []string{"olga@platform.example"},
		PublicURL: "https://mail.example.com/rohrpost/", Zone: time.FixedZone("CET", 3600), Now: d.now, Logger: zerolog.New(zerolog.SyncWriter(&d.log)),
	}
	for _, c := range change {
		c(&o)
	}
	n, err := New(o)
	if err != nil {
		d.Fatal(err)
	}
	return n
}

func (d *desk) all() []*breaker.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []*breaker.State
	for _, s := range d.states {
		list = append(list, s)
	}
	return list
}

// Accounts implements resolver.Store.
func (d *desk) Accounts(_ context.Context, tenant, user string) (resolver.Candidates, error) {
	account := func(level resolver.Level, address string) *resolver.Account {
		return &resolver.Account{Level: level, Tenant: tenant, User: user, Address: address, SMTP: resolver.SMTP{Host: "mail." + tenant + ".example", Port: 587}}
	}
	c := resolver.Candidates{Platform: account(resolver.Platform, "noreply@platform.example"), PlatformAdmin: d.admins[""]}
	if tenant != "" {
		c.TenantAdmin, c.Tenant = d.admins[tenant], account(resolver.Tenant, "info@"+tenant+".example")
	}
	if user != "" {
		c.User = account(resolver.User, user+"@"+tenant+".example")
	}
	return c, nil
}

func (d *desk) send(ctx context.Context, m rohrpost.Message) error {
	d.mu.Lock()
	d.calls++
	calls, fail := d.calls, d.fail
	d.mu.Unlock()
	if fail != nil {
		if err := fail(calls); err != nil {
			return err
		}
	}
	receipt, err := d.client.Send(ctx, m)
	if err == nil && !receipt.Duplicate {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.mails = append(d.mails, m)
	}
	return err
}

// refused is a login that the server has refused.
func refused() *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 hunter2 is wrong"}}})
}

func certificate() *failure.Failure {
	return &failure.Failure{Stage: failure.StageTLS, Class: failure.Config, Category: "certificate_invalid", Rule: 9}
}

// stop stops an account now.
func (d *desk) stop(kind breaker.Kind, account string, f *failure.Failure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	subject := account
	if kind == breaker.Settings {
		subject = "settings/" + account
	}
	d.states[subject] = &breaker.State{Kind: kind, Subject: subject, Since: d.at, Detail: f.Detail()}
}

func (d *desk) park(account string) { d.stop(breaker.Parked, account, refused()) }

func (d *desk) release(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.states, account)
}

// look has all of some processes look at the same time.
func (d *desk) look(all ...*Notifier) {
	d.Helper()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, n := range all {
		wg.Go(func() { errs[i] = n.Look(d.Context()) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		d.Fatal(err)
	}
}

// want fails the test unless so many mails were enqueued.
func (d *desk) want(n int, when string) {
	d.Helper()
	if len(d.mails) != n {
		d.Fatalf("%s: %d notices, want %d\n%s", when, len(d.mails), n, d.subjects())
	}
}

func (d *desk) subjects() string {
	var list []string
	for _, m := range d.mails {
		list = append(list, fmt.Sprint(m.To, " ", m.Subject))
	}
	return strings.Join(list, "\n")
}

// down makes a server that a tenant's account speaks to unreachable for some time now,
// and has a mail of each of two tenants wait: one for the server.
func (d *desk) down(since time.Duration, why dispatch.Reason) {
	d.Helper()
	c, _ := d.Accounts(d.Context(), "acme", "")
	subject := "server/" + breaker.ServerOf(c.Tenant)
	d.stop(breaker.Down, subject, &failure.Failure{Stage: failure.StageConnect, Class: failure.Transient, Category: "connection_refused", Rule: 3})
	d.states[subject].First = d.at.Add(-since)
	store := backlog.New(d.rdb, nil)
	for tenant, why := range map[string]dispatch.Reason{"acme": why, "globex": dispatch.Rate} {
		if err := store.Enqueue(d.Context(), "tenant/"+tenant, queue.Ref{Queue: "default", ID: "1"}, d.at, string(why)); err != nil {
			d.Fatal(err)
		}
	}
}
