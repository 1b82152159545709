package trial

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// canary is a password that must be seen nowhere.
const canary = "canary-hunter2"

// service is what stands behind both sides: mail does TestMail.
type service struct {
	mail func(context.Context, accounts.Try) (accounts.Result, error)
}

func (s service) TestMail(ctx context.Context, t accounts.Try) (accounts.Result, error) {
	return s.mail(ctx, t)
}

func (s service) Examine(_ context.Context, t accounts.Try) (doctor.Report, error) {
	return doctor.Report{Host: t.Place.String(), Took: 1_000_000, Verdict: doctor.Passed}, nil
}

// ReleaseBy knows one place.
func (service) ReleaseBy(_ context.Context, who redisstore.Actor, p resolver.Place) error {
	if p.Tenant != who.Tenant {
		return redisstore.ErrForbidden
	}
	return nil
}

func (service) Admit(context.Context, redisstore.Actor, resolver.Place) error { return nil }

func (service) Explain(context.Context, redisstore.Actor, resolver.Request, string) (resolver.Explanation, error) {
	return resolver.Explanation{}, nil
}

// A stage is a Redis, and the keys of both sides.
type stage struct {
	*testing.T
	redis  *redistest.Server
	rdb    redis.UniversalClient
	client *Client
	opens  *seal.Box
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t, redis: redistest.Start(t)}
	s.rdb = s.redis.Client(t)
	s.keys()
	return s
}

// keys makes new ones: the client gets the public one alone.
func (s *stage) keys() {
	s.Helper()
	identity, recipient, err := seal.Generate()
	if err != nil {
		s.Fatal(err)
	}
	seals, err := seal.New(seal.Options{Recipients: []string{recipient}})
	if err != nil {
		s.Fatal(err)
	}
	if s.opens, err = seal.New(seal.Options{Identities: identity}); err != nil {
		s.Fatal(err)
	}
	if s.client, err = NewClient(ClientOptions{Redis: s.rdb, Box: seals, Accounts: service{}}); err != nil {
		s.Fatal(err)
	}
}

// serve runs a server until the test ends, or the returned function is called.
func (s *stage) serve(mail func(context.Context, accounts.Try) (accounts.Result, error)) (stop func()) {
	s.Helper()
	server, err := NewServer(ServerOptions{Redis: s.rdb, Box: s.opens, Accounts: service{mail}})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	stop = func() { cancel(); <-done }
	s.Cleanup(stop)
	return stop
}

// ping makes sure that a worker is known.
func (s *stage) ping() {
	s.Helper()
	if _, err := s.client.Examine(s.Context(), accounts.Try{Place: resolver.Place{Tenant: "ping"}}); err != nil {
		s.Fatal(err)
	}
}

// try is a test mail with an unsaved password.
func try(tenant string) accounts.Try {
	return accounts.Try{
		Who: redisstore.Actor{Name: "web:anna", Role: redisstore.Admin, Tenant: tenant}, Place: resolver.Place{Tenant: tenant, User: "max"},
		To: rohrpost.Address{Address: "anna@acme.example"}, Person: "anna@acme.example", Language: "de-AT",
		Unsaved: &resolver.Entry{FirstName: "Max", Account: &resolver.Settings{
			Address: "max@acme.example", SMTP: &resolver.SMTPSettings{Host: "mail.acme.example", Password: resolver.NewSecret(canary)},
		}},
	}
}
