package accounts_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// platform is a file whose platform has things to hide.
const platform = `platform:
  address: noreply@platform.example
  reverse_path: bounces@inner.platform.example
  smtp: {host: relay.inner.platform.example, port: 2525, username: canary-login, password_file: /run/canary/platform}
tenants:
  acme:
    admin_address: it@acme.example
    account: {address: info@acme.example, smtp: {host: mail.acme.example, password_file: /run/canary/acme}}
  globex:
    account: {address: info@globex.example, use_platform_default: true}
`

// TestExplainToTenant: of the platform a tenant learns its From, and no file of anybody.
func TestExplainToTenant(t *testing.T) {
	t.Parallel()
	o := open(t, platform)
	explain := func(who redisstore.Actor, tenant string) (resolver.Explanation, string) {
		t.Helper()
		e, err := o.Explain(t.Context(), who, resolver.Request{Tenant: tenant}, "en")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return e, string(text)
	}
	reader := redisstore.Actor{Name: "rita", Tenant: "globex"}
	for _, who := range []redisstore.Actor{bob(), reader} {
		e, text := explain(who, "globex")
		if e.Level != resolver.Platform || e.From != "noreply@platform.example" || e.Waits == "" {
			t.Errorf("%s: %s", who.Name, text)
		}
		for _, word := range []string{"canary", "inner", "2525", "/run"} {
			if strings.Contains(text, word) {
				t.Errorf("%s sees %q: %s", who.Name, word, text)
			}
		}
	}
	if _, text := explain(olga(), "globex"); !strings.Contains(text, "relay.inner") || !strings.Contains(text, "/run/canary/platform") {
		t.Errorf("an operator sees less: %s", text)
	}
	e, text := explain(anna(), "acme")
	if e.Host != "mail.acme.example:587" || e.Waits == "" || strings.Contains(text, "canary") || strings.Contains(text, "/run") {
		t.Errorf("one's own: %s", text)
	}
	for i := range e.PassedOver {
		if e.PassedOver[i].Level == resolver.Platform && e.PassedOver[i].Transport != "" {
			t.Errorf("how the platform sends is told: %s", text)
		}
	}
}

// TestExplainInGerman: nothing of it stays English.
func TestExplainInGerman(t *testing.T) {
	t.Parallel()
	o := open(t, platform)
	refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
	if err := o.options.Breaker.Park(t.Context(), "tenant/acme", "", refused); err != nil {
		t.Fatal(err)
	}
	req := resolver.Request{Tenant: "acme"}
	english, err1 := o.Explain(t.Context(), anna(), req, "en")
	german, err2 := o.Explain(t.Context(), anna(), req, "de-AT")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	pairs := [][2]string{{english.Why, german.Why}, {english.Waits, german.Waits}}
	for i := range english.PassedOver {
		pairs = append(pairs, [2]string{english.PassedOver[i].Why, german.PassedOver[i].Why})
	}
	for i := range english.Warnings {
		pairs = append(pairs, [2]string{english.Warnings[i], german.Warnings[i]})
	}
	for _, p := range pairs {
		if p[0] == "" || p[0] == p[1] {
			t.Errorf("%q is %q", p[0], p[1])
		}
	}
	if want := "Ein Programm sendet, und dafür geht das Konto des Mandanten vor; Absender ist die Adresse des Kontos."; german.Why != want {
		t.Errorf("why %q", german.Why)
	}
}

// TestExplainElsewhere: pages that hold no key, and cannot read a password's file,
// say what workers do.
func TestExplainElsewhere(t *testing.T) {
	t.Parallel()
	inFile, inBook := open(t, platform), open(t, "")
	inBook.put(acme, &resolver.Entry{Account: inBook.settings("info@acme.example")})
	refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
	for name, o := range map[string]*office{"file": inFile, "book": inBook} {
		a, _, err := o.Find(t.Context(), acme) // as a worker
		if err != nil {
			t.Fatal(err)
		}
		options := o.options
		options.Elsewhere = true
		if options.Store != nil {
			options.Store = must(t, redisstore.New, redisstore.Options{Redis: o.rdb}) // no key
		}
		pages := must(t, accounts.New, options)
		waits := func(who redisstore.Actor) string {
			t.Helper()
			e, err := pages.Explain(t.Context(), who, resolver.Request{Tenant: "acme"}, "en")
			if err != nil || e.Level != resolver.Tenant || len(e.Warnings) > 0 {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
			return e.Waits
		}
		if got := waits(olga()) + waits(anna()); got != "" {
			t.Errorf("%s: waits %q", name, got)
		}
		if err := o.options.Breaker.Park(t.Context(), a.ID(), a.Fingerprint(), refused); err != nil {
			t.Fatal(err)
		}
		if got := waits(anna()); !strings.Contains(got, "parked") {
			t.Errorf("%s: parked, waits %q", name, got)
		}
		if err := pages.Recheck(t.Context()); err != nil || len(o.options.Breaker.States()) != 1 {
			t.Errorf("%s: who cannot read the settings has released them: %v", name, err)
		}
	}
}
