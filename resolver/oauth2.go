package resolver

import (
	"cmp"
	"net"
	"strconv"
)

// The providers of OAuth2.
const (
	Microsoft = "microsoft"
	Google    = "google"
)

// OAuth2 is the access to a mailbox at Microsoft 365 or Google without a
// password; it goes before SMTP. The zero value is none.
type OAuth2 struct {
	Provider  string    // Microsoft or Google
	Transport Transport // how mails leave
	Username  string    // the mailbox
	Tenant    string    // Microsoft: directory
	Cloud     string    // Microsoft: "", us, us-dod, china

	ClientID       string // empty: the application of the platform
	ClientSecret   Secret
	RefreshToken   Secret // delegated access; empty: the application's own
	ServiceAccount Secret // Google: JSON key, for domain-wide delegation

	Endpoints Endpoints
}

func (s *OAuth2Settings) effective(address string, preset *Preset) OAuth2 {
	o := OAuth2{
		Provider: cmp.Or(s.Provider, preset.OAuth2), Transport: cmp.Or(Transport(s.Transport), ViaSMTP), Username: cmp.Or(s.Username, address),
		Tenant: s.Tenant, Cloud: s.Cloud, ClientID: s.ClientID,
		ClientSecret: s.ClientSecret, RefreshToken: s.RefreshToken, ServiceAccount: s.ServiceAccount,
	}
	if s.Endpoints != nil {
		o.Endpoints = *s.Endpoints
	}
	return o
}

// InUse reports whether there is one.
func (o *OAuth2) InUse() bool { return o.Transport != "" }

// preset is what is known of the provider, which needs no preset to be named.
func (o *OAuth2) preset() Preset {
	for _, p := range presets() {
		if p.OAuth2 == o.Provider && p.OAuth2 != "" {
			return p
		}
	}
	return Preset{}
}

// server is where mails go with XOAUTH2.
func (o *OAuth2) server() SMTP {
	// Connections are counted per mailbox, however it logs in.
	s := SMTP{Authentication: true, Username: o.Username, MaxConnections: o.preset().Connections}
	switch {
	case o.Endpoints.SMTP != "":
		host, port, _ := net.SplitHostPort(o.Endpoints.SMTP)
		s.Host, s.Encryption = host, STARTTLS
		if s.Port, _ = strconv.Atoi(port); s.Port == usualPort(TLS) {
			s.Encryption = TLS
		}
	case o.Provider == Google:
		s.Host, s.Port, s.Encryption = "smtp.gmail.com", 465, TLS
	case o.Cloud == "china":
		s.Host, s.Port, s.Encryption = "smtp.partner.outlook.cn", 587, STARTTLS
	case o.Cloud != "":
		s.Host, s.Port, s.Encryption = "smtp.office365.us", 587, STARTTLS
	default:
		s.Host, s.Port, s.Encryption = "smtp.office365.com", 587, STARTTLS
	}
	return s
}

func (c *checker) oauth2(o *OAuth2, secretsKnown bool) {
	switch {
	case o.Provider != Microsoft && o.Provider != Google:
		c.fail("oauth2.provider", "%q is not one of microsoft, google", o.Provider)
		return
	case o.Transport != ViaSMTP && o.Transport != usualAPI(o.Provider):
		c.fail("oauth2.transport", "%q is not one of smtp, %s", o.Transport, usualAPI(o.Provider))
	}
	c.line("oauth2.username", o.Username)
	if o.Provider == Google && (o.Tenant != "" || o.Cloud != "") {
		c.fail("oauth2.tenant", "tenant and cloud are Microsoft's")
	}
	switch o.Cloud {
	case "", "us", "us-dod", "china":
	default:
		c.fail("oauth2.cloud", "%q is not one of us, us-dod, china (empty: worldwide)", o.Cloud)
	}
	if o.Provider == Microsoft && !o.ServiceAccount.IsZero() {
		c.fail("oauth2.service_account", "is Google's; Microsoft has client_id and client_secret")
	}
	c.endpoints(&o.Endpoints)
	if c.complete && secretsKnown {
		c.grant(o)
	}
}

// application keeps the secret of the platform's application, which an account
// without a client_id uses, from endpoints that a tenant has named.
func (c *checker) application(a *Account) {
	o := &a.OAuth2
	if o.ClientID == "" && o.Endpoints.Authorize+o.Endpoints.Token != "" && o.ServiceAccount.IsZero() && a.Level != Platform && !a.Trusted {
		c.fail("oauth2.client_id", "is missing: the platform's application is shown to the provider alone, not to other endpoints")
	}
}

// grant finds out that a token can never be had.
func (c *checker) grant(o *OAuth2) {
	switch {
	case !o.RefreshToken.IsZero():
	case o.Provider == Google:
		if o.ServiceAccount.IsZero() {
			c.fail("oauth2.refresh_token", "is missing: run rohrpost account connect google, or set service_account_file")
		}
	case o.ClientSecret.IsZero():
		c.fail("oauth2.refresh_token", "is missing: run rohrpost account connect microsoft, or set tenant, client_id and client_secret")
	case o.ClientID == "":
		c.fail("oauth2.client_id", "is missing: an application that sends by itself has its own")
	case o.Tenant == "" || o.Tenant == "common" || o.Tenant == "organizations" || o.Tenant == "consumers":
		c.fail("oauth2.tenant", "is missing: an application that sends by itself needs the directory, as a GUID or domain")
	}
}

func (c *checker) endpoints(e *Endpoints) {
	c.url("oauth2.endpoints.authorize", e.Authorize)
	c.url("oauth2.endpoints.token", e.Token)
	c.url("oauth2.endpoints.api", e.API)
	if e.SMTP == "" {
		return
	}
	host, port, err := net.SplitHostPort(e.SMTP)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil || n < 1 || n > 65535 || !isHost(host) {
		c.fail("oauth2.endpoints.smtp", "%q is not host:port", e.SMTP)
	}
}

func usualAPI(provider string) Transport {
	if provider == Google {
		return ViaGmail
	}
	return ViaGraph
}
