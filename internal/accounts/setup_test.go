package accounts_test

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// hunter2 is a password that must be seen nowhere.
const hunter2 = "canary-hunter2"

// olga, anna and bob are who they are in all tests.
func olga() redisstore.Actor { return redisstore.Actor{Name: "olga", Role: redisstore.Operator} }

func anna() redisstore.Actor {
	return redisstore.Actor{Name: "anna", Role: redisstore.Admin, Tenant: "acme"}
}

func bob() redisstore.Actor {
	return redisstore.Actor{Name: "bob", Role: redisstore.Admin, Tenant: "globex"}
}

var (
	acme = resolver.Place{Tenant: "acme"}
	maxM = resolver.Place{Tenant: "acme", User: "max"}
)

// An office is a service and what stands behind it.
type office struct {
	*testing.T
	*accounts.Service
	options accounts.Options // of the service
	rdb     redis.UniversalClient
	redis   *redistest.Server
	server  *smtptest.Server
	box     *seal.Box
	clock   time.Time // of the service; each look at it takes a millisecond
}

// open makes a service with accounts in Redis, or in a file if there is one. Tenants
// may reach the mail server, which wants a login; PORT in the file is its port.
func open(t *testing.T, file string) *office {
	t.Helper()
	o := &office{T: t, redis: redistest.Start(t), server: smtptest.Start(t, smtptest.Options{Username: "info@acme.example", Password: hunter2})}
	o.rdb = o.redis.Client(t)
	o.clock = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	identity, _, err := seal.Generate()
	o.box = must(t, seal.New, seal.Options{Identities: identity})
	if err != nil {
		t.Fatal(err)
	}
	parked := o.breaker()
	options := accounts.Options{
		Redis:   o.rdb,
		Breaker: parked,
		Errors:  must(t, errorlog.New, errorlog.Options{Redis: o.rdb, Now: o.now}),
		Limiter: must(t, doctor.NewLimiter, doctor.LimiterOptions{Redis: o.rdb, Limit: 100}),
		Route:   o.route(parked),
		Now:     o.now,
	}
	if file == "" {
		options.Store = must(t, redisstore.New, redisstore.Options{Redis: o.rdb, Identities: identity})
	} else {
		path := filepath.Join(t.TempDir(), "accounts.yaml")
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(file, "PORT", strconv.Itoa(o.server.Port()))), 0o600); err != nil {
			t.Fatal(err)
		}
		options.File = must(t, resolver.LoadFile, path)
	}
	o.renew(options)
	return o
}

// breaker is that of one process.
func (o *office) breaker() *breaker.Breaker {
	o.Helper()
	return must(o.T, breaker.New, breaker.Options{Redis: o.rdb, Backlog: backlog.New(o.rdb, nil)})
}

func (o *office) route(parked *breaker.Breaker) *route.Route {
	o.Helper()
	guard := must(o.T, netguard.New, netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Ports: []int{o.server.Port()}})
	leases := must(o.T, lease.New, lease.Options{Redis: o.rdb})
	r := must(o.T, route.New, route.Options{Guard: guard, Breaker: parked, Leases: leases, TestPatience: 300 * time.Millisecond, Tokens: func(client *http.Client) (*oauth.Tokens, error) {
		return oauth.New(oauth.Options{Redis: o.rdb, Box: o.box, HTTPClient: client})
	}})
	o.Cleanup(func() { _ = r.Close() })
	return r
}

// renew makes another service.
func (o *office) renew(options accounts.Options) {
	o.Helper()
	o.options, o.Service = options, must(o.T, accounts.New, options)
}

func (o *office) now() time.Time {
	o.clock = o.clock.Add(time.Millisecond)
	return o.clock
}

// restart forgets what only this process knows.
func (o *office) restart() {
	o.Helper()
	options := o.options
	options.Breaker = o.breaker()
	options.Route = o.route(options.Breaker)
	if err := options.Breaker.Load(o.Context()); err != nil {
		o.Fatal(err)
	}
	o.renew(options)
}

func must[O, R any](t *testing.T, create func(O) (R, error), o O) R {
	t.Helper()
	r, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// settings are those of the mail server.
func (o *office) settings(address string) *resolver.Settings {
	on := true
	return &resolver.Settings{Address: address, SMTP: &resolver.SMTPSettings{
		Host: "127.0.0.1", Port: o.server.Port(), Encryption: "none", Authentication: &on, AllowPlaintextLogin: true,
		Username: "info@acme.example", Password: resolver.NewSecret(hunter2),
	}}
}

// put stores an account in place of what is there.
func (o *office) put(p resolver.Place, e *resolver.Entry) {
	o.Helper()
	version := int64(0)
	if r, err := o.options.Store.Get(o.Context(), p); err == nil {
		version = r.Version
	}
	if _, err := o.options.Store.Put(o.Context(), olga(), p, version, e); err != nil {
		o.Fatal(err)
	}
}

// try is a test mail to anna, whoever tries it.
func (o *office) try(who redisstore.Actor, p resolver.Place) (accounts.Result, error) {
	if err := o.Admit(o.Context(), who, p); err != nil {
		return accounts.Result{}, err
	}
	return o.TestMail(o.Context(), accounts.Try{Who: who, Place: p, To: rohrpost.Address{Address: "anna@acme.example"}, Person: "anna@acme.example"})
}
