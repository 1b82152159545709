package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const file = `platform: {address: noreply@platform.example, admin_address: admin@platform.example, smtp: {host: smtp.platform.example}}
tenants:
  acme:
    account: {address: info@acme.example, smtp: {host: smtp.acme.example, password_file: missing}}
    users: {max: {account: {address: max@acme.example, smtp: {host: smtp.acme.example}}}}
`

func (o *office) list(tenant string) []string {
	o.Helper()
	var out []string
	for i, err := range o.List(o.Context(), tenant) {
		if err != nil {
			o.Fatal(err)
		}
		out = append(out, strings.TrimSpace(i.ID+" "+i.State+" "+i.Parked))
	}
	return out
}

func TestList(t *testing.T) {
	t.Parallel()
	inFile, inBook := open(t, file), open(t, "")
	for p, address := range map[resolver.Place]string{{}: "noreply@platform.example", acme: "info@acme.example", maxM: "max@acme.example"} {
		inBook.put(p, &resolver.Entry{Account: inBook.settings(address)})
	}
	inBook.put(resolver.Place{Tenant: "globex"}, &resolver.Entry{AdminAddress: "it@globex.example"})
	for name, o := range map[string]*office{"file": inFile, "book": inBook} {
		if diff := cmp.Diff([]string{"platform active", "tenant/acme active", "user/acme/max active"}, o.list("")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]string{"tenant/acme active", "user/acme/max active"}, o.list("acme")); diff != "" {
			t.Errorf("%s, one tenant (-want +got):\n%s", name, diff)
		}
		for _, err := range o.List(t.Context(), "") {
			if err != nil {
				t.Error(err)
			}
			break // whoever has seen enough
		}
		a, _, err := o.Find(t.Context(), maxM)
		if err != nil || a.Address != "max@acme.example" {
			t.Fatalf("%s: %+v, %v", name, a, err)
		}
		refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
		if err := o.options.Breaker.Park(t.Context(), a.ID(), a.Fingerprint(), refused); err != nil {
			t.Fatal(err)
		}
		if got := o.list("acme")[1]; got != "user/acme/max parked auth_failed" {
			t.Errorf("%s: %s", name, got)
		}
		if i, err := o.Item(t.Context(), maxM); err != nil || i.Parked != "auth_failed" || i.State != "parked" {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
		e, err := o.Explain(t.Context(), olga(), resolver.Request{Tenant: "acme", User: rohrpost.User{ID: "max"}, Origin: rohrpost.Manual}, "de")
		if err != nil || !strings.Contains(e.Waits, "gestoppt seit 20") || !strings.Contains(e.Waits, refused.Hint("de")) {
			t.Errorf("%s: waits %q, %v", name, e.Waits, err)
		}
		if err := o.Release(t.Context(), maxM); err != nil || o.list("acme")[1] != "user/acme/max active" {
			t.Errorf("%s: %v, %v", name, o.list("acme"), err)
		}
		for _, p := range []resolver.Place{{Tenant: "globex"}, {Tenant: "acme", User: "eva"}, {Tenant: "initech"}} {
			if _, err := o.Item(t.Context(), p); !errors.Is(err, redisstore.ErrUnknown) || !strings.HasPrefix(err.Error(), p.String()+": ") {
				t.Errorf("%s: %s: %v", name, p, err)
			}
		}
	}
	if _, err := inFile.Store(); !errors.Is(err, accounts.ErrFile) {
		t.Errorf("editing a file: %v", err)
	}
	if book, err := inBook.Store(); err != nil || book != inBook.options.Store {
		t.Errorf("editing in Redis: %v", err)
	}
}

// TestExplainUnusable fills in what the mail will be.
func TestExplainUnusable(t *testing.T) {
	t.Parallel()
	o := open(t, file)
	e, err := o.Explain(t.Context(), olga(), resolver.Request{Tenant: "acme"}, "en")
	if err != nil || e.Level != resolver.Tenant || e.From != "info@acme.example" || e.ReversePath != "info@acme.example" ||
		cmp.Diff([]string{"info@acme.example"}, e.ReplyTo) != "" || !strings.HasPrefix(e.Waits, "its password cannot be read") {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := o.Explain(t.Context(), olga(), resolver.Request{Tenant: "acme", User: rohrpost.User{ID: "max"}}, "en"); err != nil {
		t.Error(err)
	}
	empty := open(t, "tenants: {}\n")
	if _, err := empty.Explain(t.Context(), olga(), resolver.Request{}, "en"); !errors.Is(err, resolver.ErrNoAccount) {
		t.Errorf("nothing is set up: %v", err)
	}
}

// TestRedisAway ends a list with the error instead of silently.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	if err := o.rdb.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"", "acme"} {
		seen := 0
		for _, err := range o.List(t.Context(), tenant) {
			if seen++; err == nil {
				t.Error("an account out of nowhere")
			}
		}
		if seen != 1 {
			t.Errorf("%d answers", seen)
		}
	}
	if _, err := o.Explain(t.Context(), olga(), resolver.Request{Tenant: "acme"}, ""); err == nil {
		t.Error("an explanation out of nowhere")
	}
	if _, err := o.KeepTokens(t.Context()); err == nil {
		t.Error("kept without Redis")
	}
}

// TestKeep uses idle refresh tokens, parks accounts whose token is refused, and
// asks for those no more, in no process. The administrator reads of it, once.
func TestKeep(t *testing.T) {
	t.Parallel()
	srv := oauthtest.Start(t, oauthtest.Options{}) // without TLS: for the operator's accounts alone
	ended := srv.Connect("max@acme.example")
	srv.Revoke(ended)
	settings := func(address, token string) string {
		return fmt.Sprintf("{address: %s, oauth2: {provider: google, transport: gmail, client_id: client-1, refresh_token: %s, endpoints: {token: %q}}}",
			address, token, srv.TokenURL())
	}
	inFile := open(t, "{platform: "+settings("noreply@platform.example", srv.Connect("noreply@platform.example"))+
		", tenants: {acme: {account: "+settings("info@acme.example", ended)+"}, globex: {account: {address: g@globex.example, smtp: {host: h.example}}}}}")
	inBook := open(t, "")
	e, err := resolver.ParseEntry("test", []byte(settings("noreply@platform.example", ended)), resolver.Platform)
	if err != nil {
		t.Fatal(err)
	}
	inBook.put(resolver.Place{}, e)
	inBook.put(acme, &resolver.Entry{Account: inBook.settings("info@acme.example")})
	for name, test := range map[string]struct {
		*office
		kept int
		want []string
		told string
	}{
		"file": {inFile, 1, []string{"platform active", "tenant/acme parked oauth_expired", "tenant/globex active"}, `tenant/acme (tenant) of "acme"`},
		"book": {inBook, 0, []string{"platform parked oauth_expired", "tenant/acme active"}, `platform (platform) of ""`},
	} {
		if n, err := test.KeepTokens(t.Context()); err != nil || n != test.kept {
			t.Errorf("%s: %d kept, %v", name, n, err)
		}
		if diff := cmp.Diff(test.want, test.list("")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		asked := srv.Count("")
		test.restart()
		if n, err := test.KeepTokens(t.Context()); err != nil || n != 0 || srv.Count("") != asked {
			t.Errorf("%s: a process that starts: %d kept, %v, %d requests", name, n, err, srv.Count("")-asked)
		}
		if diff := cmp.Diff([]string{test.told + " at Gmail API: token 400 config oauth_expired"}, test.errors()); diff != "" {
			t.Errorf("%s: error log (-want +got):\n%s", name, diff)
		}
	}
}

// noLog is an error log that takes nothing.
type noLog struct{}

func (noLog) Append(context.Context, ...errorlog.Entry) error { return io.ErrShortWrite }

// TestKeepUntold parks no account of which nobody would hear.
func TestKeepUntold(t *testing.T) {
	t.Parallel()
	srv := oauthtest.Start(t, oauthtest.Options{})
	token := srv.Connect("noreply@platform.example")
	srv.Revoke(token)
	o := open(t, fmt.Sprintf("platform: {address: noreply@platform.example, oauth2: {provider: google, transport: gmail, client_id: client-1, refresh_token: %s, endpoints: {token: %q}}}\n",
		token, srv.TokenURL()))
	options := o.options
	options.Errors = noLog{}
	o.renew(options)
	if _, err := o.KeepTokens(t.Context()); !errors.Is(err, io.ErrShortWrite) || cmp.Diff([]string{"platform active"}, o.list("")) != "" {
		t.Errorf("%v, %q", err, o.list(""))
	}
}

// errors are the entries of the error log.
func (o *office) errors() []string {
	o.Helper()
	log := must(o.T, errorlog.New, errorlog.Options{Redis: o.rdb, Now: o.now})
	var lines []string
	for e, err := range log.Query(o.Context(), errorlog.Filter{AllTenants: true}) {
		if err != nil {
			o.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s (%s) of %q at %s: %s %d %s %s", e.Account, e.Level, e.Tenant, e.Host, e.Stage, e.Code, e.Class, e.Category))
	}
	return lines
}

func TestNew(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	f := open(t, file)
	for name, change := range map[string]func(*accounts.Options){
		"no store": func(o *accounts.Options) { o.Store = nil },
		"both":     func(o *accounts.Options) { o.File = f.options.File },
		"route":    func(o *accounts.Options) { o.Route = nil },
		"breaker":  func(o *accounts.Options) { o.Breaker = nil },
		"errors":   func(o *accounts.Options) { o.Errors = nil },
		"limiter":  func(o *accounts.Options) { o.Limiter = nil },
	} {
		options := o.options
		change(&options)
		if _, err := accounts.New(options); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	options := o.options
	options.Now = nil
	if _, err := accounts.New(options); err != nil || !slices.Equal(o.list(""), nil) {
		t.Errorf("%v", err)
	}
}
