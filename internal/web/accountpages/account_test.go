package accountpages_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func portText(port int) string { return strconv.Itoa(port) }

// TestWhoMay goes through each page and each act by each role.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	everybody := []string{"olga", "anna", "bob", "rita", "max", "eva", ""}
	for _, tt := range []struct {
		method, path string
		may          string // those who may, in one word each
	}{
		{"GET", "/t/acme/accounts", "olga anna rita"},
		{"GET", "/t/acme/accounts/explain", "olga anna rita"},
		{"GET", tenantPage, "olga anna rita"},
		{"POST", tenantPage, "olga anna"},
		{"GET", maxPage, "olga anna rita max"},
		{"POST", maxPage, "olga anna max"},
		{"GET", "/system/account", "olga"},
		{"POST", "/system/account", "olga"},
		{"GET", "/t/acme/branding", "olga anna"},
		{"POST", "/t/acme/branding", "olga anna"},
		{"GET", "/t/acme/branding/preview", "olga anna"},
		{"GET", "/t/acme/settings", "olga anna"},
		{"POST", "/t/acme/settings", "olga anna"},
		{"GET", "/tenants", "olga"},
		{"GET", "/approvals", "olga"},
		{"GET", "/approvals/acme", "olga"},
		{"POST", "/approvals/acme", "olga"},
		{"POST", "/approvals/acme/user/max", "olga"},
	} {
		for _, who := range everybody {
			got := s.do(who, tt.method, tt.path, "application/x-www-form-urlencoded", nil)
			may := who != "" && strings.Contains(" "+tt.may+" ", " "+who+" ")
			if refused := got.status == http.StatusForbidden; refused == may {
				t.Errorf("%s %s by %q: %d", tt.method, tt.path, who, got.status)
			}
		}
	}
}

// TestSave enters an account by its form: the tick, the provider, the fields. What is
// entered stays behind the tick, and a password that is left empty stays too.
func TestSave(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	first := s.get("anna", tenantPage)
	first.has(t, "Where is the mailbox?", `href="?provider=microsoft365"`, "IONOS", "Another provider, or your own server")
	chosen := s.get("anna", tenantPage+"?provider=ionos")
	chosen.has(t, `placeholder="smtp.ionos.de"`, `name="use_platform_default" value="1"`, "The user name is the full address", "TLS from the beginning (SMTPS, port 465) – recommended")
	if strings.Contains(chosen.body, `name="use_platform_default" value="1" aria-describedby="f-default-tip" checked`) {
		t.Error("a provider was chosen, and its fields are hidden behind the tick")
	}
	s.post("anna", tenantPage, s.filled("save", "info@acme.example")).leadsTo(t, tenantPage+"?done=saved")
	r := s.stored(acme)
	if r.Entry.Account.Address != "info@acme.example" || r.Account.SMTP.Password.Reveal() != hunter2 || r.Account.UsePlatformDefault {
		t.Errorf("stored %+v", r.Account)
	}
	page := s.get("anna", tenantPage+"?done=saved")
	page.has(t, "Saved.", `value="info@acme.example"`, "stored; leave empty to keep it", "settings entered")

	ticked := s.filled("save", "info@acme.example")
	ticked.Set("version", page.version(t))
	ticked.Set("use_platform_default", "1")
	ticked.Del("smtp.password")
	s.post("anna", tenantPage, ticked).leadsTo(t, tenantPage+"?done=saved")
	r = s.stored(acme)
	if !r.Account.UsePlatformDefault || r.Account.SMTP.Password.Reveal() != hunter2 || r.Entry.Account.Name != "ACME" {
		t.Errorf("behind the tick is %+v", r.Account)
	}
	ticked.Set("version", strconv.FormatInt(r.Version, 10))
	ticked.Del("use_platform_default")
	s.post("anna", tenantPage, ticked).leadsTo(t, tenantPage+"?done=saved")
	if r = s.stored(acme); r.Account.UsePlatformDefault || r.Account.SMTP.Password.Reveal() != hunter2 {
		t.Errorf("after the tick %+v", r.Account)
	}
	// Nothing entered, and the tick: nothing is stored.
	s.post("max", maxPage, url.Values{"do": {"save"}, "version": {"0"}, "use_platform_default": {"1"}, "first_name": {"Max"}}).leadsTo(t, maxPage+"?done=saved")
	if r := s.stored(maxM); r.Entry.Account != nil || r.Entry.FirstName != "Max" {
		t.Errorf("stored %+v", r.Entry)
	}
}

// TestFaults shows all that is wrong at once, keeps what was entered, and speaks German.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	bad := s.filled("save", "not an address")
	bad.Set("smtp.port", "abc")
	bad.Set("smtp.host", "no host!")
	bad.Set("reverse_path", "neither")
	got := s.post("anna", tenantPage+"?lang=de", bad)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", got.status)
	}
	got.has(t, "Bitte 4 Angaben prüfen", `href="#f-smtp-port"`, `href="#f-address"`, `href="#f-smtp-host"`, `aria-invalid="true"`,
		`value="abc"`, `value="not an address"`, `value="no host!"`, "Zur Sicherheit wird ein Passwort nie wieder angezeigt")
	if _, err := s.store.Get(t.Context(), acme); err == nil {
		t.Error("it was stored")
	}
}

// TestTwoAdmins: the second one sees what the first has done, keeps what they entered, and
// decides. What does not touch the form is no conflict.
func TestTwoAdmins(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.post("anna", tenantPage, s.filled("save", "info@acme.example")).leadsTo(t, tenantPage+"?done=saved")
	seen := s.get("anna", tenantPage).version(t)
	s.post("olga", "/t/acme/settings", url.Values{"do": {"save"}, "version": {seen}, "admin_address": {"it@acme.example"}}).leadsTo(t, "/t/acme/settings?done=saved")

	form := s.filled("save", "new@acme.example")
	form.Set("version", seen)
	s.post("anna", tenantPage, form).leadsTo(t, tenantPage+"?done=saved")
	if r := s.stored(acme); r.Entry.AdminAddress != "it@acme.example" || r.Entry.Account.Address != "new@acme.example" {
		t.Errorf("one of two changes is lost: %+v", r.Entry)
	}
	form.Set("address", "late@acme.example") // made from what was seen before
	got := s.post("olga", tenantPage, form)
	if got.status != http.StatusConflict {
		t.Errorf("status %d", got.status)
	}
	got.has(t, "Somebody else has changed this meanwhile", "web:anna", "<del>info@acme.example</del>", "<ins>new@acme.example</ins>", `value="late@acme.example"`, "Save anyway")
	if r := s.stored(acme); r.Entry.Account.Address != "new@acme.example" {
		t.Error("it was overwritten")
	}
	form.Set("version", got.version(t))
	s.post("olga", tenantPage, form).leadsTo(t, tenantPage+"?done=saved")
	s.post("anna", tenantPage, url.Values{"do": {"delete"}, "version": {seen}}).has(t, "Somebody else has changed this meanwhile")
	s.post("anna", tenantPage, url.Values{"do": {"delete"}, "version": {s.get("anna", tenantPage).version(t)}}).leadsTo(t, tenantPage+"?done=deleted")
}

// TestTestMail tries unsaved settings: nothing is stored by it. A success with stored ones
// is their check.
func TestTestMail(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{Check: true})
	good := s.post("anna", tenantPage, s.filled("test", "info@acme.example"))
	good.has(t, "The server has taken the test mail to anna@acme.example", "They are not saved yet", `value="info@acme.example"`)
	if _, err := s.store.Get(t.Context(), acme); err == nil {
		t.Error("a test mail has stored the settings")
	}
	wrong := s.filled("test", "info@acme.example")
	wrong.Set("smtp.password", "canary-wrong")
	s.post("anna", tenantPage+"?lang=de", wrong).has(t, "Die Testmail ging nicht hinaus", "Zur Sicherheit")
	other := s.filled("test", "info@acme.example")
	other.Set("to", "stranger@example.org")
	if got := s.post("anna", tenantPage, other); got.status != http.StatusForbidden {
		t.Errorf("a foreign recipient: %d", got.status)
	}
	s.post("olga", tenantPage, other).has(t, "stranger@example.org")

	s.post("anna", tenantPage, s.filled("save", "info@acme.example")).leadsTo(t, tenantPage+"?done=saved")
	s.get("anna", tenantPage).has(t, "entered, not tested yet")
	s.post("anna", tenantPage, url.Values{"do": {"test"}, "stored": {"1"}}).has(t, "The stored settings count as tested now")
	if r := s.stored(acme); !r.Checked {
		t.Error("not checked")
	}
	steps := s.post("max", maxPage, s.filled("doctor", "max@acme.example"))
	steps.has(t, "What was checked", "<th scope=\"row\">")
	steps.lacks(t, "stored settings count")
}

// TestRelease frees a parked account, and says so in both histories.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	form := s.filled("save", "info@acme.example")
	form.Set("smtp.password", "canary-wrong")
	s.post("anna", tenantPage, form).leadsTo(t, tenantPage+"?done=saved")
	s.post("anna", tenantPage, url.Values{"do": {"test"}, "stored": {"1"}}).has(t, "The test mail did not go out")
	s.get("rita", "/t/acme/accounts?filter=trouble").has(t, "stopped: login or permission refused", "until somebody acts")
	s.get("anna", tenantPage).has(t, "Let it try again")
	s.get("rita", tenantPage).lacks(t, "Let it try again", `value="save"`)
	s.post("olga", tenantPage, url.Values{"do": {"release"}}).leadsTo(t, tenantPage+"?done=released")
	if states := s.accounts.States(); len(states) != 0 {
		t.Errorf("still %v", states)
	}
	acts, err := s.audit.Latest(t.Context(), 10)
	if err != nil || len(acts) != 1 || acts[0].Account != "tenant/acme" || acts[0].Who != "olga" || acts[0].Count != 1 {
		t.Errorf("the operators' history: %+v, %v", acts, err)
	}
	history, err := s.store.HistoryOf(t.Context(), redisstore.Actor{Role: redisstore.Operator}, acme, 1)
	if err != nil || len(history) != 1 || history[0].Action != "release" {
		t.Errorf("the account's history: %+v, %v", history, err)
	}
}

// TestForms holds every field that a person, a tenant or a server fills to be text.
func TestForms(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{Unlock: true, Approve: true})
	const attack = `"><script>alert(1)</script>`
	form := s.filled("save", attack)
	for key := range form {
		if key != "do" && key != "version" {
			form.Set(key, attack)
		}
	}
	for _, key := range []string{"central_sender.address", "central_sender.name", "aliases", "reverse_path", "to", "first_name"} {
		form.Set(key, attack)
	}
	safe := func(name string, a answered) {
		t.Helper()
		if strings.Contains(a.body, "<script>alert") || strings.Contains(a.body, attack) {
			t.Errorf("%s runs a script", name)
		}
	}
	hurt := url.PathEscape(attack)
	for _, path := range []string{tenantPage, maxPage, "/system/account", "/t/acme/accounts/user/" + hurt} {
		safe("save "+path, s.post("olga", path, form))
		form.Set("do", "test")
		safe("test "+path, s.post("olga", path, form))
		form.Set("do", "save")
	}
	e := &resolver.Entry{FirstName: attack, LastName: attack, Account: &resolver.Settings{Name: attack, Address: "a@acme.example", SMTP: &resolver.SMTPSettings{Host: "smtp.acme.example", Username: attack, Password: resolver.NewSecret(hunter2)}}}
	operator := redisstore.Actor{Name: attack, Role: redisstore.Operator}
	if _, err := s.store.Put(t.Context(), operator, resolver.Place{Tenant: attack, User: attack}, 0, e); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Accept(t.Context(), operator, attack); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Request(t.Context(), operator, attack, attack); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/t/" + hurt + "/accounts", "/t/" + hurt + "/accounts/user/" + hurt, "/t/" + hurt + "/settings", "/t/" + hurt + "/branding", "/tenants",
		"/approvals", "/approvals/" + hurt, "/approvals/" + hurt + "/user/" + hurt, "/t/acme/accounts?prefix=" + hurt + "&filter=" + hurt,
		"/t/acme/accounts/explain?origin=manual&user=" + hurt + "&from=" + hurt, tenantPage + "?provider=" + hurt + "&done=" + hurt,
	} {
		safe(path, s.get("olga", path))
	}
	look := url.Values{"version": {"0"}}
	for _, key := range []string{"branding.company", "branding.logo_alt", "branding.colors.accent", "branding.footer.lines", "branding.footer.link", "branding.footer.link_text", "branding.logo_width"} {
		look.Set(key, attack)
	}
	safe("branding", s.upload("anna", "/t/acme/branding", look, nil))
	safe("preview of faults", s.upload("anna", "/t/acme/branding/preview", look, nil))
	safe("preview", s.upload("anna", "/t/acme/branding/preview", url.Values{"branding.company": {attack}, "branding.footer.lines": {attack}}, nil))
	safe("reason", s.post("olga", "/approvals/acme", url.Values{"do": {"refuse"}, "reason": {attack}}))
}
