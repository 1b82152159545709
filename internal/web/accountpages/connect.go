package accountpages

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/fields"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/resolver"
)

const (
	// connectCookie ties a sign-in to the browser in which it has begun.
	connectCookie = "rohrpost-connect"
	connectLife   = 10 * time.Minute
	callbackPath  = "/oauth/callback"
)

// connectData is what account.html shows of OAuth2.
type connectData struct {
	Connected string // mailbox; empty: none is connected
	Provider  string // microsoft or google; empty: both are offered
	Transport string
	ClientID  string
	Directory string
	Callback  string // where the provider sends the browser back to
	Endpoints section
}

// connectable is what can be connected at a place; nil: nothing.
func (s *Pages) connectable(r *http.Request, v *accounts.View, f *form, b *builder) *connectData {
	preset, known := resolver.PresetByID(f.provider())
	c := &connectData{Provider: preset.OAuth2, Callback: s.callback(r)}
	c.Endpoints = endpoints(b, endpointsOf(r, v))
	if v.Account && v.Entry.Account.OAuth2 != nil {
		o := v.Entry.Account.OAuth2
		c.Connected, c.Provider, c.Transport, c.ClientID, c.Directory = o.Username, o.Provider, o.Transport, o.ClientID, o.Tenant
		if c.Connected == "" {
			c.Connected = v.Entry.Account.Address
		}
		if c.Provider == "" {
			c.Provider = preset.OAuth2
		}
		return c
	}
	if known && preset.OAuth2 == "" {
		return nil // this provider has none
	}
	return c
}

// endpointsOf are what was just entered, else what is stored.
func endpointsOf(r *http.Request, v *accounts.View) *resolver.Endpoints {
	switch {
	case r.PostForm.Get("do") == "connect":
		return enteredEndpoints(r.PostForm)
	case v.Entry.Account != nil && v.Entry.Account.OAuth2 != nil && v.Entry.Account.OAuth2.Endpoints != nil:
		return v.Entry.Account.OAuth2.Endpoints
	}
	return &resolver.Endpoints{}
}

const endpointsKey = "oauth2.endpoints."

func enteredEndpoints(form url.Values) *resolver.Endpoints {
	value := func(name string) string { return entered(form, endpointsKey+name) }
	return &resolver.Endpoints{Authorize: value("authorize"), Token: value("token"), API: value("api"), SMTP: value("smtp")}
}

// endpoints are the addresses of an unusual cloud.
func endpoints(b *builder, e *resolver.Endpoints) section {
	s := section{Key: "endpoints", Fields: []field{
		b.text(endpointsKey+"authorize", e.Authorize, ""), b.text(endpointsKey+"token", e.Token, ""),
		b.text(endpointsKey+"api", e.API, ""), b.text(endpointsKey+"smtp", e.SMTP, ""),
	}}
	s.Folded = !s.touched()
	return s
}

// wrongEndpoints is what is wrong with the addresses among the settings, one
// *rohrpost.FieldError each.
func wrongEndpoints(p resolver.Place, o resolver.OAuth2Settings) error {
	account := (&resolver.Settings{OAuth2: &o}).Account(p.Level(), p.Tenant, p.User)
	var found []*rohrpost.FieldError
	for _, e := range fields.Errors(account.Validate()) {
		if strings.HasPrefix(e.Field, endpointsKey) {
			found = append(found, e)
		}
	}
	return asErrors(found)
}

// connect sends the browser to the provider's sign-in page.
func (s *Pages) connect(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place, form := placeOf(r), r.PostForm
	browser := rand.Text()
	c := accounts.Connect{
		Who: p.Actor(), Place: place, RedirectURL: s.callback(r), Session: sessionOf(browser, p),
		Settings: resolver.OAuth2Settings{
			Provider: form.Get("connect.provider"), Transport: form.Get("connect.transport"), Tenant: entered(form, "connect.directory"),
			ClientID: entered(form, "connect.client_id"), ClientSecret: resolver.NewSecret(form.Get("connect.client_secret")),
		},
	}
	if form.Has(endpointsKey + "token") { // else those that are stored stay
		c.Settings.Endpoints = enteredEndpoints(form)
	}
	err := wrongEndpoints(place, c.Settings)
	address := ""
	if err == nil {
		address, err = s.Accounts.BeginConnect(r.Context(), c)
	}
	if err != nil {
		s.then(w, r, p, "", err)
		return
	}
	s.Cookies.Set(w, r, connectCookie, browser, connectLife)
	// A page that leads on, because a redirect would be part of the form's submission,
	// and form-action lets it go to these pages alone.
	s.set.Render(w, r, p, http.StatusOK, "onward", s.page(p, place, "accounts", s.set.Say(r, p, "onward"), struct {
		URL, Provider, Back string
	}{address, c.Settings.Provider, pathOf(place)}))
}

// connected takes the browser back from the provider.
func (s *Pages) connected(w http.ResponseWriter, r *http.Request, p signin.Person) {
	browser := s.Cookies.Get(r, connectCookie)
	s.Cookies.Set(w, r, connectCookie, "", -time.Second) // it is good once
	w.Header().Set("Referrer-Policy", "no-referrer")     // the code stands in the address
	ctx := context.WithoutCancel(r.Context())            // a code is good once: a browser that leaves must not waste it
	done, err := s.Accounts.CompleteConnect(ctx, sessionOf(browser, p), oauth.ParseRedirect(r.URL.Query()))
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	s.set.Render(w, r, p, http.StatusOK, "connected", s.page(p, done.Place, "accounts", s.set.Say(r, p, "connected_title"), struct {
		accounts.Connected
		Path string
	}{done, pathOf(done.Place)}))
}

// sessionOf is what a sign-in is bound to: the browser and the person.
func sessionOf(browser string, p signin.Person) string {
	if browser == "" {
		return "" // bound to none: no sign-in has it
	}
	return browser + "\x00" + p.Name
}

// callback is the redirect address, as it must be registered at the provider.
func (s *Pages) callback(r *http.Request) string {
	if s.PublicURL != "" {
		return s.PublicURL + callbackPath
	}
	scheme := "http://"
	if signin.OverTLS(r) {
		scheme = "https://"
	}
	return scheme + r.Host + s.UI.URL(callbackPath)
}
