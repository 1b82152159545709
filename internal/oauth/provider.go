package oauth

import (
	"cmp"

	"golang.org/x/oauth2"
)

// A Cloud is one of Microsoft's, each with its own endpoints. Tokens of one are
// worth nothing in another.
type Cloud string

// The clouds. GCC uses the worldwide one.
const (
	Worldwide Cloud = ""
	USGov     Cloud = "us"     // GCC High
	USGovDoD  Cloud = "us-dod" //
	China     Cloud = "china"  // 21Vianet
)

// clouds: where one signs in, and the resources that a scope begins with.
// Worldwide, the resource of SMTP has two names: one for people, one for
// applications.
var clouds = map[Cloud]struct{ login, smtp, smtpApp, graph string }{
	Worldwide: {"https://login.microsoftonline.com/", "https://outlook.office.com/", "https://outlook.office365.com/", "https://graph.microsoft.com/"},
	USGov:     {"https://login.microsoftonline.us/", "https://outlook.office365.us/", "https://outlook.office365.us/", "https://graph.microsoft.us/"},
	USGovDoD:  {"https://login.microsoftonline.us/", "https://outlook-dod.office365.us/", "https://outlook-dod.office365.us/", "https://dod-graph.microsoft.us/"},
	China:     {"https://login.chinacloudapi.cn/", "https://partner.outlook.cn/", "https://partner.outlook.cn/", "https://microsoftgraph.chinacloudapi.cn/"},
}

func (c Credentials) transport() Transport { return cmp.Or(c.Transport, SMTP) }
func (c Credentials) directory() string    { return cmp.Or(c.Directory, "organizations") }

// endpoint is where to sign in and where to ask for tokens. The client
// authenticates in the body: Google takes nothing else, and the library would
// otherwise try both ways.
func (c Credentials) endpoint() oauth2.Endpoint {
	e := oauth2.Endpoint{AuthStyle: oauth2.AuthStyleInParams}
	switch c.Provider {
	case Microsoft:
		base := clouds[c.Cloud].login + c.directory() + "/oauth2/v2.0/"
		e.AuthURL, e.TokenURL = base+"authorize", base+"token"
	case Google:
		e.AuthURL, e.TokenURL = "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token"
	}
	e.AuthURL, e.TokenURL = cmp.Or(c.AuthURL, e.AuthURL), cmp.Or(c.TokenURL, e.TokenURL)
	return e
}

// scope is the one permission that the transport needs. A token request of
// Microsoft's names one resource only.
func (c Credentials) scope() string {
	cloud, app := clouds[c.Cloud], c.grant() == ClientCredentials
	switch {
	case c.Provider == Google && c.transport() == GmailAPI:
		return "https://www.googleapis.com/auth/gmail.send"
	case c.Provider == Google:
		return "https://mail.google.com/"
	case c.transport() == Graph && app:
		return cloud.graph + ".default"
	case c.transport() == Graph:
		return cloud.graph + "Mail.Send"
	case app:
		return cloud.smtpApp + ".default"
	}
	return cloud.smtp + "SMTP.Send"
}

// consentScopes are what a person is asked to allow: the transport's scope, and
// to be told whose mailbox it is.
func (c Credentials) consentScopes() []string {
	if c.Provider == Google {
		return []string{c.scope(), "openid", "email"}
	}
	return []string{c.scope(), "offline_access", "openid", "email", "profile"}
}
