package signinpages

import (
	"errors"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// A form is the sign-in as it is shown.
type form struct {
	Passwords bool   // there are users with a password
	Provider  string // where the way to the provider begins; empty: there is none
	Next      string
	Name      string // that was entered
	Problem   string // key of a text; empty: none
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	p.show(w, r, http.StatusOK, form{Next: r.URL.Query().Get("next")})
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, f form) {
	f.Next, f.Passwords = local(f.Next), p.login.Passwords()
	if p.login.Provider() {
		f.Provider = p.ui.URL(providerPath(f.Next))
	}
	p.set.Render(w, r, signin.Person{}, status, "login", ui.Page{Title: p.say(r, signin.Person{}, "sign_in"), Data: f})
}

func (p *Pages) say(r *http.Request, who signin.Person, key string) string {
	return p.set.Say(r, who, key)
}

// signIn takes name and password.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	f := form{Next: r.PostFormValue("next"), Name: r.PostFormValue("name")}
	err := p.login.SignIn(w, r, f.Name, r.PostFormValue("password"))
	if err == nil {
		p.ui.Redirect(w, r, local(f.Next))
		return
	}
	status := http.StatusUnprocessableEntity
	paused, isPaused := errors.AsType[*signin.Paused](err)
	switch {
	case isPaused:
		status, f.Problem = http.StatusTooManyRequests, "paused"
		w.Header().Set("Retry-After", paused.RetryAfter())
	case errors.Is(err, signin.ErrBusy):
		status, f.Problem = http.StatusServiceUnavailable, "busy"
	case errors.Is(err, signin.ErrUnavailable):
		status, f.Problem = http.StatusServiceUnavailable, "no_redis"
	case errors.Is(err, signin.ErrTooLong):
		f.Problem = "password_long"
	default:
		f.Problem = "wrong_password"
	}
	p.show(w, r, status, f)
}

// signOut ends the session. It answers with a page and leads nowhere: browsers follow no
// form to the application, which is another site.
func (p *Pages) signOut(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	returnURL, err := p.login.SignOut(w, r, r.PostFormValue("everywhere") != "")
	if err != nil {
		p.problem(w, r, http.StatusServiceUnavailable, "not_signed_out")
		return
	}
	p.set.Render(w, r, signin.Person{}, http.StatusOK, "out", ui.Page{
		Title: p.say(r, signin.Person{}, "signed_out"), Data: goodbye{returnURL, p.login.Passwords() || p.login.Provider()},
	})
}

type goodbye struct {
	ReturnURL string // where the person came from; empty: not known
	Login     bool   // there is a page to sign in at
}

// problem says why somebody does not come in, or go.
func (p *Pages) problem(w http.ResponseWriter, r *http.Request, status int, key string) {
	p.set.Render(w, r, signin.Person{}, status, "refused", ui.Page{Title: p.say(r, signin.Person{}, key+"_title"), Data: key})
}
