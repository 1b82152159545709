// Package signinpages has the pages by which people come in and go: the sign-in with
// name and password, the signed links of applications (/sso), the way to an OpenID
// Connect provider and back, what one is (/me), and the sign-out.
package signinpages

import (
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// Paths that others must know.
const (
	SSO      = "/sso"           // where signed links lead
	Callback = "/oidc/callback" // where the provider sends browsers back to
	login    = "/login"
)

// maxForm bounds what is posted, in octets.
const maxForm = 64 << 10

//go:embed pages
var templates embed.FS

// Pages are the handlers.
type Pages struct {
	login *signin.Login
	ui    *ui.UI
	set   *ui.Set
}

// New reads the templates.
func New(l *signin.Login, u *ui.UI) (*Pages, error) {
	files, err := fs.Sub(templates, "pages")
	if err != nil {
		return nil, fmt.Errorf("signinpages: %w", err)
	}
	set, err := u.Set(files, texts)
	if err != nil {
		return nil, err
	}
	return &Pages{l, u, set}, nil
}

// Register adds the pages.
func (p *Pages) Register(r ui.Router) {
	r.Handle("GET /login", ui.Anyone, p.form)
	r.Handle("POST /login", ui.Anyone, p.signIn)
	r.Handle("POST /logout", ui.Anyone, p.signOut)
	r.Handle("GET "+SSO, ui.Anyone, p.sso)
	r.Handle("POST "+SSO, ui.Anyone, p.sso)
	if p.login.Provider() {
		r.Handle("GET /oidc/login", ui.Anyone, p.toProvider)
		r.Handle("GET "+Callback, ui.Anyone, p.fromProvider)
	}
	r.Handle("GET /me", ui.SignedIn, p.me)
	r.Handle("POST /me", ui.SignedIn, p.choose)
}

// LoginPath is the page to sign in at. next is the path to show afterwards, "" for the
// first page.
func LoginPath(next string) string {
	if next == "" || next == "/" {
		return login
	}
	return login + "?" + url.Values{"next": {next}}.Encode()
}

// local is the path that somebody wants to see after the sign-in, if it is one of these
// pages; else the first one. Whoever sends a person to the sign-in must not be able to
// send them further to another site.
func local(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "",
		!strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//"),
		strings.ContainsFunc(next+u.Path, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }), // browsers take \ for /
		u.Path == login, u.Path == "/logout":
		return "/"
	}
	return next
}
