package route_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/resolver"
)

// connected is a user's account with a refresh token.
func connected(srv *oauthtest.Server, provider, transport string, e resolver.Endpoints) *resolver.Account {
	e.Token = srv.TokenURL()
	s := &resolver.Settings{
		Address: "info@acme.example",
		OAuth2: &resolver.OAuth2Settings{
			Provider: provider, Transport: transport, Username: "max@acme.example", ClientID: "client-1",
			RefreshToken: resolver.NewSecret(srv.Connect("max@acme.example")), Endpoints: &e,
		},
	}
	return s.Account(resolver.User, "acme", "max")
}

func provider(t *testing.T) *oauthtest.Server {
	t.Helper()
	return oauthtest.Start(t, oauthtest.Options{TLS: true, Rotate: true})
}

// TestAPIs sends through Microsoft Graph and the Gmail API, in both lanes: I7.
func TestAPIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		provider, transport, mailbox, host string
		start                              func(testing.TB, apitest.Options) *apitest.Server
	}{
		{resolver.Microsoft, "graph", "max@acme.example", "graph", apitest.Graph},
		{resolver.Google, "gmail", "me", "gmail", apitest.Gmail},
	} {
		t.Run(test.transport, func(t *testing.T) {
			t.Parallel()
			b, srv := newBench(t), provider(t)
			api := test.start(t, apitest.Options{Token: func(token string) bool { return srv.Mailbox(token) == "max@acme.example" }})
			r := b.open(portOf(t, srv.TokenURL()), portOf(t, api.URL()))
			closed := b.open()
			a := connected(srv, test.provider, test.transport, resolver.Endpoints{API: api.URL()})
			for _, a.Trusted = range []bool{true, false} {
				if v := b.send(r, a); v.Failure != nil {
					t.Errorf("trusted %v: %v", a.Trusted, v.Failure)
				}
				if out, err := r.Try(t.Context(), a, mail(), nil); err != nil || out.Verdicts[0].Failure != nil {
					t.Errorf("trusted %v, a test mail: %v, %+v", a.Trusted, err, out)
				}
			}
			mails := api.Mails()
			if len(mails) != 4 || mails[0].Mailbox != test.mailbox || cmp.Diff([]string{"anna@example.org"}, mails[0].Recipients()) != "" {
				t.Errorf("%+v", mails)
			}
			if n := srv.Count("refresh_token"); n != 1 {
				t.Errorf("%d refreshes: both lanes share the token", n)
			}
			before := api.Requests()
			if v := b.send(closed, a); v.Failure == nil || v.Failure.Category != "config_invalid" || api.Requests() != before {
				t.Errorf("where the network is not allowed: %v", v.Failure)
			}
			steps := r.Check(t.Context(), a, smtp.CheckOptions{From: "max@acme.example"})
			if len(steps) != 1 || steps[0].Name != smtp.StepLogin || steps[0].Failure != nil {
				t.Errorf("check: %+v", steps)
			}
		})
	}
}

// TestRejectedToken is replaced once.
func TestRejectedToken(t *testing.T) {
	t.Parallel()
	b, srv := newBench(t), provider(t)
	api := apitest.Graph(t, apitest.Options{Token: srv.Valid})
	r := b.open(portOf(t, srv.TokenURL()), portOf(t, api.URL()))
	a := connected(srv, resolver.Microsoft, "graph", resolver.Endpoints{API: api.URL()})
	api.Once(apitest.GraphError(401, "InvalidAuthenticationToken", "Access token has expired."))
	if v := b.send(r, a); v.Failure != nil || srv.Count("refresh_token") != 2 {
		t.Errorf("%v, %d refreshes", v.Failure, srv.Count("refresh_token"))
	}
}

// TestXOAUTH2 logs in with a token instead of the stored password: I6.
func TestXOAUTH2(t *testing.T) {
	t.Parallel()
	b, srv := newBench(t), provider(t)
	server := smtptest.Start(t, smtptest.Options{TLS: trusted(t), Token: func(user, token string) bool {
		return user == "max@acme.example" && srv.Valid(token)
	}})
	r := b.open(portOf(t, srv.TokenURL()), server.Port())
	a := connected(srv, resolver.Google, "smtp", resolver.Endpoints{SMTP: server.Addr()})
	a.SMTP = resolver.SMTP{Host: "192.0.2.1", Port: 25, Encryption: resolver.None, Username: "old", Password: resolver.NewSecret("hunter2")}
	if v := b.send(r, a); v.Failure != nil || server.Mails()[0].Username != "max@acme.example" || !server.Mails()[0].TLS {
		t.Errorf("%v, %+v", v.Failure, server.Mails())
	}
	if n := len(r.Check(t.Context(), a, smtp.CheckOptions{})); n < 8 {
		t.Errorf("the check of a server has %d steps", n)
	}
}

// TestRefusedToken comes as a failure of stage token, of a mail and of a check.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	b, srv := newBench(t), provider(t)
	r := b.open(portOf(t, srv.TokenURL()))
	srv.On(oauthtest.Microsoft(400, "invalid_grant", "The refresh token has expired due to inactivity.", 700082))
	a := connected(srv, resolver.Microsoft, "graph", resolver.Endpoints{API: "https://127.0.0.1:1/v1.0"})
	if v := b.send(r, a); v.Failure == nil || v.Failure.Stage != failure.StageToken || v.Failure.Category != "oauth_expired" {
		t.Errorf("%v", v.Failure)
	}
	steps := r.Check(t.Context(), a, smtp.CheckOptions{})
	if f := steps[0].Failure; len(steps) != 1 || f == nil || f.Stage != failure.StageToken || f.Category != "oauth_expired" {
		t.Errorf("check: %+v", steps)
	}
}

// TestTouch uses every refresh token once a week, in both lanes, and tells of
// those that are refused.
func TestTouch(t *testing.T) {
	t.Parallel()
	b, srv := newBench(t), provider(t)
	r := b.open(portOf(t, srv.TokenURL()))
	account := func(user string, trusted bool) *resolver.Account {
		a := connected(srv, resolver.Google, "gmail", resolver.Endpoints{})
		a.User, a.Trusted = user, trusted
		return a
	}
	ended, unusable := account("ended", false), account("unusable", false)
	srv.Revoke(ended.OAuth2.RefreshToken.Reveal())
	unusable.Unusable = "it has no key"
	list := []*resolver.Account{
		account("max", true), account("eva", false), ended, unusable,
		{Tenant: "acme", User: "bob", Address: "bob@acme.example"},
	}
	refused := map[string]string{}
	touch := func() int {
		t.Helper()
		n, err := r.Touch(t.Context(), list, func(a *resolver.Account, f *failure.Failure) { refused[a.ID()] = f.Category })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := touch(); n != 2 || cmp.Diff(map[string]string{"user/acme/ended": "oauth_expired"}, refused) != "" || srv.Count("") != 3 {
		t.Errorf("%d touched, refused %v, %d requests", n, refused, srv.Count(""))
	}
	if n := touch(); n != 0 || srv.Count("") != 3 {
		t.Errorf("again: %d touched, %d requests", n, srv.Count(""))
	}
	// The operator's account reaches its provider where a tenant's must not.
	list = []*resolver.Account{account("ida", true)}
	if n, err := b.open().Touch(t.Context(), list, nil); err != nil || n != 1 {
		t.Errorf("the operator's: %d touched, %v", n, err)
	}
	if err := b.rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Touch(t.Context(), list, nil); err == nil || !strings.Contains(err.Error(), "idle accounts") {
		t.Errorf("without Redis: %v", err)
	}
}

// TestArm: an error of the ledger comes back as it is, with the account's name.
func TestArm(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	r := b.open()
	a := withPassword(server)
	a.Trusted = true
	held := errors.New("held")
	if _, err := r.Send(t.Context(), a, mail(), func(context.Context, []int) error { return held }); !errors.Is(err, held) || !strings.HasPrefix(err.Error(), "user/acme/max: ") {
		t.Errorf("%v", err)
	}
	if server.Taken() != 0 {
		t.Error("it was sent all the same")
	}
}

// TestRequestsOverAllWorkers: two workers together never send more than four requests of
// a mailbox to Microsoft Graph at a time, and share them.
func TestRequestsOverAllWorkers(t *testing.T) {
	t.Parallel()
	b, srv := newBench(t), provider(t)
	api := apitest.Graph(t, apitest.Options{})
	var open, most atomic.Int64
	four := make(chan struct{})
	api.On(apitest.Answer{}.Doing(func() {
		now := open.Add(1)
		defer open.Add(-1)
		if now > most.Load() {
			most.Store(now)
		}
		if now == 4 {
			select {
			case <-four:
			default:
				close(four)
			}
		}
		if api.Requests() > 1 { // the first one finds out whether the login works
			<-four
		}
	}))
	a := connected(srv, resolver.Microsoft, "graph", resolver.Endpoints{API: api.URL()})
	a.Trusted = true
	routes := []*route.Route{b.open(), b.open()}
	if v := b.send(routes[0], a); v.Failure != nil {
		t.Fatal(v.Failure)
	}
	var wg sync.WaitGroup
	for n := range 24 {
		wg.Go(func() {
			redistest.Until(t, "a place", func() bool {
				out, err := routes[n%2].Send(t.Context(), a, mail(), armed)
				if err == nil && out.Verdicts[0].Failure != nil {
					t.Error(out.Verdicts[0].Failure)
				}
				return !errors.Is(err, transport.ErrBusy)
			})
		})
	}
	wg.Wait()
	if got := api.Requests(); most.Load() != 4 || got != 25 || b.leasesOf(a) != 0 {
		t.Errorf("%d at a time, %d requests, %d leases left", most.Load(), got, b.leasesOf(a))
	}
}
