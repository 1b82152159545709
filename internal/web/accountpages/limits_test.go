package accountpages_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestLimits enters the limits of an account, and says what is wrong with them. A form
// without them leaves them as they are.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.get("anna", tenantPage+"?provider=microsoft365").has(t, "Advanced: limits", `name="limits.per_minute"`, `placeholder="25"`, "Microsoft allows three for a mailbox")
	bad := s.filled("save", "info@acme.example")
	bad.Set("limits.per_minute", "many")
	bad.Set("limits.per_day", "-1")
	bad.Set("smtp.max_connections", "1.5")
	got := s.post("anna", tenantPage+"?lang=de", bad)
	got.has(t, "Bitte 3 Angaben prüfen", "Mails je Minute", "muss eine ganze Zahl sein, mindestens 0", `value="many"`, `value="-1"`, `value="1.5"`, `href="#f-limits-per_day"`)
	many := s.filled("save", "info@acme.example")
	many.Set("smtp.max_connections", "11")
	got = s.post("anna", tenantPage, many)
	got.has(t, "11 is more than the platform allows an account: at most 10", `href="#f-smtp-max_connections"`)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	form := s.filled("save", "info@acme.example")
	for key, value := range map[string]string{
		"smtp.max_connections": "10", "limits.per_minute": "20", "limits.per_hour": "300", "limits.per_day": "4000", "limits.recipients_per_day": "5000", "limits.recipients_per_mail": "60",
	} {
		form.Set(key, value)
	}
	s.post("anna", tenantPage, form).leadsTo(t, tenantPage+"?done=saved")
	want := resolver.Limits{PerMinute: 20, PerHour: 300, PerDay: 4000, RecipientsPerDay: 5000, RecipientsPerMail: 60}
	r := s.stored(acme)
	if *r.Entry.Account.Limits != want || r.Entry.Account.SMTP.MaxConnections != 10 {
		t.Errorf("%+v", r.Entry.Account)
	}
	s.get("anna", tenantPage).has(t, `value="4000"`, `value="60"`)

	short := s.filled("save", "info@acme.example")
	short.Set("version", strconv.FormatInt(r.Version, 10))
	s.post("anna", tenantPage, short).leadsTo(t, tenantPage+"?done=saved")
	if r = s.stored(acme); *r.Entry.Account.Limits != want || r.Entry.Account.SMTP.MaxConnections != 10 {
		t.Errorf("a form without them: %+v", r.Entry.Account)
	}
	for key := range form {
		if len(key) > 7 && key[:7] == "limits." || key == "smtp.max_connections" {
			form.Set(key, "")
		}
	}
	form.Set("version", strconv.FormatInt(r.Version, 10))
	s.post("anna", tenantPage, form).leadsTo(t, tenantPage+"?done=saved")
	if r = s.stored(acme); r.Entry.Account.Limits != nil || r.Entry.Account.SMTP.MaxConnections != 0 {
		t.Errorf("emptied: %+v", r.Entry.Account)
	}
	// The platform's own account may have more.
	form = s.filled("save", "noreply@platform.example")
	form.Set("smtp.max_connections", "50")
	s.post("olga", "/system/account", form).leadsTo(t, "/system/account?done=saved")
}

// TestEndpoints: the addresses of an unusual cloud are entered where the account is
// connected, and what is wrong with one stands at its field.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	s.get("anna", tenantPage+"?provider=custom").has(t, "Advanced: addresses of the provider", `name="oauth2.endpoints.token"`)
	connect := url.Values{
		"do": {"connect"}, "connect.provider": {"microsoft"}, "connect.client_id": {"own"}, "connect.client_secret": {"canary-secret"},
		"oauth2.endpoints.authorize": {"https://login.example/authorize"}, "oauth2.endpoints.token": {"http://login.example/token"}, "oauth2.endpoints.smtp": {"no port"},
	}
	got := s.post("anna", tenantPage+"?lang=de", connect)
	if got.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", got.status)
	}
	got.has(t, "Bitte 2 Angaben prüfen", "Adresse für Token", `value="http://login.example/token"`, `value="https://login.example/authorize"`, "https://")
	connect.Set("oauth2.endpoints.token", "https://login.example/token")
	connect.Set("oauth2.endpoints.smtp", "smtp.example:587")
	s.post("anna", tenantPage, connect).has(t, "https://login.example/authorize?")
	connect.Del("connect.client_id")
	if got := s.post("anna", tenantPage, connect); got.status < http.StatusBadRequest {
		t.Errorf("the platform's application was shown to a tenant's server: %d", got.status)
	}
}
