package accountpages_test

import (
	"bytes"
	"html"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestLife is S1 and S2 on screens: a tenant asks for an own server and accepts that it
// answers for it, an operator unlocks, the settings wait, are refused with a reason, and
// approved after they have changed.
func TestLife(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{Unlock: true, Check: true, Approve: true, Accept: true})
	const settings = "/t/acme/settings"
	s.get("anna", tenantPage).has(t, "Own mail servers are not unlocked", "/t/acme/settings")
	if got := s.post("anna", tenantPage, s.filled("save", "info@acme.example")); got.status != http.StatusForbidden {
		t.Errorf("saving while locked: %d", got.status)
	}
	s.get("anna", settings).has(t, "What you accept", "Ask for an own mail server")
	if got := s.post("anna", settings, url.Values{"do": {"request"}}); got.status != http.StatusForbidden {
		t.Errorf("without accepting: %d", got.status)
	}
	s.post("anna", settings, url.Values{"do": {"request"}, "accept": {"1"}, "text": {"for our invoices"}}).leadsTo(t, settings+"?done=requested")
	s.get("anna", settings).has(t, "Asked for by web:anna", "Accepted by web:anna")
	s.get("olga", "/approvals").has(t, `href="/approvals/acme"`, "wants an own mail server")
	s.get("olga", "/approvals/acme").has(t, "for our invoices", "Unlock own servers")

	s.post("olga", "/approvals/acme", url.Values{"do": {"unlock"}}).leadsTo(t, "/approvals?done=unlocked")
	s.get("olga", "/approvals").has(t, "Nothing waits for a decision")
	s.post("anna", tenantPage, s.filled("save", "info@acme.example")).leadsTo(t, tenantPage+"?done=saved")
	s.post("anna", tenantPage, url.Values{"do": {"test"}, "stored": {"1"}}).has(t, "count as tested now")

	waiting := s.get("olga", "/approvals/acme")
	waiting.has(t, "new settings", "<ins>info@acme.example</ins>", "<ins>changed</ins>")
	version := waiting.version(t)
	if got := s.post("olga", "/approvals/acme", url.Values{"do": {"refuse"}, "version": {version}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", got.status)
	}
	s.post("olga", "/approvals/acme", url.Values{"do": {"refuse"}, "version": {version}, "reason": {"use TLS"}}).leadsTo(t, "/approvals?done=refused")
	s.get("anna", tenantPage).has(t, "use TLS", "refused by the operator")
	s.get("olga", "/approvals").has(t, "Nothing waits for a decision")
	if got := s.post("olga", "/approvals/acme", url.Values{"do": {"approve"}, "version": {version}}); got.status != http.StatusConflict {
		t.Errorf("another operator decides late: %d", got.status)
	}
	again := s.filled("save", "office@acme.example")
	again.Set("version", s.get("anna", tenantPage).version(t))
	s.post("anna", tenantPage, again).leadsTo(t, tenantPage+"?done=saved")
	s.post("anna", tenantPage, url.Values{"do": {"test"}, "stored": {"1"}}).has(t, "count as tested now")
	s.post("olga", "/approvals/acme", url.Values{"do": {"approve"}, "version": {s.get("olga", "/approvals/acme").version(t)}}).leadsTo(t, "/approvals?done=approved")
	if r := s.stored(acme); r.Account.State != resolver.Active {
		t.Errorf("state %q", r.Account.State)
	}
	// A later change is shown against what was approved.
	again.Set("address", "third@acme.example")
	again.Set("version", s.get("anna", tenantPage).version(t))
	s.post("anna", tenantPage, again).leadsTo(t, tenantPage+"?done=saved")
	s.get("olga", "/approvals/acme").has(t, "<del>office@acme.example</del>", "<ins>third@acme.example</ins>")
	s.post("olga", "/approvals/acme", url.Values{"do": {"lock"}}).leadsTo(t, "/approvals?done=locked")
	acts, err := s.audit.Latest(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	var done []string
	for _, a := range acts {
		if a.Count == 1 {
			done = append(done, string(a.Action))
		}
	}
	if got := strings.Join(done, " "); got != "unlock refuse approve lock" {
		t.Errorf("the operators' history: %s", got)
	}
}

// TestSettings stores the address, the fallback and the order of a tenant, without an
// account too.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	form := url.Values{
		"do": {"save"}, "version": {"0"}, "admin_address": {"it@acme.example"}, "fallback": {"platform"}, "order.manual": {"tenant-platform"}, "order.automatic": {""},
	}
	s.post("anna", "/t/acme/settings", form).leadsTo(t, "/t/acme/settings?done=saved")
	r := s.stored(acme)
	if r.Entry.AdminAddress != "it@acme.example" || r.Entry.Account.Fallback != resolver.FallbackPlatform || !r.Entry.Account.UsePlatformDefault || len(r.Entry.Order.Manual) != 2 {
		t.Errorf("stored %+v, %+v", r.Entry, r.Entry.Account)
	}
	s.get("anna", "/t/acme/settings").has(t, `value="it@acme.example"`, `value="tenant-platform" selected`, `value="platform" selected`)
	form.Set("version", s.get("anna", "/t/acme/settings").version(t))
	form.Set("admin_address", "nobody")
	got := s.post("anna", "/t/acme/settings?lang=de", form)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", got.status)
	}
	got.has(t, `value="nobody"`, "Bitte eine Angabe prüfen")
}

// TestBranding previews a look that is not stored in a document of its own, which may
// run nothing, then stores it.
func TestBranding(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	var logo bytes.Buffer
	if err := png.Encode(&logo, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"version": {"0"}, "branding.enabled": {"1"}, "branding.company": {"ACME & Sons"}, "branding.colors.accent": {"#0b5cad"}, "branding.footer.lines": {"Main Street 1\nBerlin"}}
	page := s.get("anna", "/t/acme/branding")
	page.has(t, `sandbox=""`, `src="/t/acme/branding/preview"`)
	shown := s.upload("anna", "/t/acme/branding/preview", form, logo.Bytes())
	shown.has(t, "data:image/png;base64,", "Main Street 1")
	if csp := shown.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'") {
		t.Errorf("its policy is %q", csp)
	}
	if _, err := s.store.Get(t.Context(), acme); err == nil {
		t.Error("the preview was stored")
	}
	s.upload("anna", "/t/acme/branding", form, logo.Bytes()).leadsTo(t, "/t/acme/branding?done=saved")
	if b := s.stored(acme).Entry.Branding; b == nil || len(b.Logo) == 0 || b.Company != "ACME & Sons" || len(b.Footer.Lines) != 2 {
		t.Errorf("stored %+v", b)
	}
	form.Set("version", s.get("anna", "/t/acme/branding").version(t))
	form.Set("branding.colors.text", "#fefefe")
	got := s.upload("anna", "/t/acme/branding?lang=de", form, nil)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("text that nobody can read: %d", got.status)
	}
	s.upload("anna", "/t/acme/branding/preview", form, nil).lacks(t, "<nav")
}

// TestConnect sends the browser to the provider and takes it back; the code is good for
// this browser and person, once.
func TestConnect(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	provider := oauthtest.Start(t, oauthtest.Options{ClientSecret: hunter2})
	provider.SignIn("noreply@platform.example")
	_, err := s.store.Put(t.Context(), redisstore.Actor{Name: "cli", Role: redisstore.Operator}, resolver.Place{}, 0, &resolver.Entry{Account: &resolver.Settings{
		Address: "noreply@platform.example", OAuth2: &resolver.OAuth2Settings{
			Provider: resolver.Google, ClientID: "client-1", ClientSecret: resolver.NewSecret(hunter2), RefreshToken: resolver.NewSecret("canary-old"),
			Endpoints: &resolver.Endpoints{Authorize: provider.AuthURL(), Token: provider.TokenURL()},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	connect := url.Values{"do": {"connect"}, "connect.provider": {"google"}}
	back := func() string {
		t.Helper()
		page := s.post("olga", "/system/account", connect)
		_, rest, _ := strings.Cut(page.body, `content="0;url=`)
		address, _, found := strings.Cut(rest, `"`)
		if !found {
			t.Fatalf("the page does not lead on:\n%s", page.main())
		}
		browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := browser.Get(html.UnescapeString(address))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		location, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		return location.RequestURI()
	}
	callback := back()
	mine := s.cookies
	if c := mine[0]; !c.HttpOnly || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "rohrpost-connect-") || c.MaxAge != 600 {
		t.Errorf("the cookie is %+v", c)
	}
	s.cookies = nil
	if got := s.get("olga", callback); got.status != http.StatusBadRequest {
		t.Errorf("another browser: %d", got.status)
	}
	s.cookies = mine
	if got := s.get("anna", callback); got.status != http.StatusBadRequest {
		t.Errorf("another person: %d", got.status)
	}
	s.cookies = mine
	s.get("olga", callback).has(t, "Connected", "noreply@platform.example is connected")
	s.cookies = mine
	if got := s.get("olga", callback); got.status != http.StatusBadRequest {
		t.Errorf("twice: %d", got.status)
	}
	if token := s.stored(resolver.Place{}).Account.OAuth2.RefreshToken.Reveal(); token == "canary-old" || token == "" {
		t.Errorf("the token was not replaced")
	}
	s.get("olga", "/system/account").has(t, "Connected with the mailbox noreply@platform.example")
	s.post("olga", "/system/account", url.Values{"do": {"disconnect"}, "version": {s.get("olga", "/system/account").version(t)}})
}

// TestFile shows accounts in a file, and takes nothing.
func TestFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := filepath.Join(t.TempDir(), "accounts.yaml")
	text := "tenants:\n  acme:\n    account: {address: info@acme.example, smtp: {host: smtp.acme.example, password: " + hunter2 + "}}\n" +
		"    users:\n      max: {first_name: Max, account: {address: max@acme.example, smtp: {host: smtp.acme.example}}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.serve(engine.Options{File: file})
	s.get("anna", "/t/acme/accounts").has(t, "info@acme.example", "max@acme.example", "The accounts stand in a file")
	page := s.get("anna", tenantPage)
	page.has(t, "The accounts stand in a file", `value="info@acme.example"`, "disabled")
	page.lacks(t, `value="save"`, `value="delete"`)
	if got := s.post("anna", tenantPage, s.filled("save", "x@acme.example")); got.status != http.StatusConflict {
		t.Errorf("saving into a file: %d", got.status)
	}
	s.get("olga", "/tenants").has(t, "acme")
	s.get("olga", "/approvals").has(t, "The accounts stand in a file")
	s.get("anna", "/t/acme/settings").has(t, "The accounts stand in a file")
	s.get("max", maxPage).has(t, "max@acme.example")
}

// TestExplain answers who would send.
func TestExplain(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.post("anna", tenantPage, s.filled("save", "info@acme.example")).leadsTo(t, tenantPage+"?done=saved")
	s.get("rita", "/t/acme/accounts/explain?origin=automatic&category=transactional").has(t, "info@acme.example", "for that the tenant&#39;s account goes first")
	s.get("rita", "/t/acme/accounts/explain?origin=manual&category=marketing").has(t, "Nobody: no account is set up")
	s.get("max", maxPage+"?lang=de").has(t, "Wenn eine Person auf Senden drückt", "Wenn ein Programm sendet")
}
