package signin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/oidc"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/session"
)

// Why nobody is let in.
// Why nobody is known, or nobody was signed in.
var (
	ErrNoLogin       = errors.New("no user of that name and password")
	ErrNoLink        = errors.New("not opened by the link")
	ErrNoApplication = errors.New("not sent by an application")
	ErrTooLong       = errors.New("a password of more than 72 octets")
	ErrBusy          = errors.New("too many logins at a time")
	ErrUnavailable   = errors.New("nobody knows who has signed in: Redis does not answer")
	errBadUsers      = errors.New("web: users")
)

// A Paused is the error of a try that came too soon after wrong ones.
type Paused struct{ Wait time.Duration }

func (p *Paused) Error() string { return fmt.Sprintf("too many wrong tries: wait %v", p.Wait) }

// RetryAfter is Wait in whole seconds (RFC 9110 §10.2.3).
func (p *Paused) RetryAfter() string {
	return strconv.FormatInt(int64((p.Wait+time.Second-1)/time.Second), 10)
}

// Options say who may come in.
type Options struct {
	Users        []configs.User
	Links        []configs.Link // applications that send people
	ForwardAuth  configs.ForwardAuth
	OIDC         configs.OIDC
	RedirectURL  string                // where the provider of OIDC sends people back to
	Redis        redis.UniversalClient // holds sessions; nil: there are none
	Socket       bool                  // without a way to sign in: whoever connects is the operator
	MetricsToken secret.String         // opens /metrics; empty: no token does
	Proxies      []netip.Prefix        // those whose X-Forwarded-For is believed
	Cookies      Cookies
	Now          func() time.Time
	Logger       zerolog.Logger
}

// A Login tells who sends a request, and signs people in. Users sign in with name and
// password, or are named by a proxy that has done it; applications send their people by
// signed links; operators come by OIDC. If none of these lets an operator in, there is
// one who has the link, or may open the unix socket. No address is trusted: behind a
// proxy everybody comes from this machine.
type Login struct {
	options   Options
	users     map[string]configs.User
	sessions  *session.Store // nil: there are none
	links     *adminlink.Verifier
	oidc      *oidc.Provider // nil: there is none
	link      *link          // nil: operators sign in, or come by a socket
	passwords *passwords     // nil: nobody has one
	guesses   *guesses
}

// New checks the options. It does no I/O.
func New(o Options) (*Login, error) {
	l := &Login{options: o, guesses: newGuesses(o.Now), users: map[string]configs.User{}}
	var err error
	if l.links, err = adminlink.New(adminlink.Options{Issuers: issuers(o.Links), Redis: o.Redis, Now: o.Now}); err != nil {
		return nil, err
	}
	if o.Redis != nil {
		l.sessions = session.New(o.Redis, o.Now)
	}
	if o.OIDC.Issuer != "" {
		l.oidc = oidc.New(oidc.Options{
			Issuer: o.OIDC.Issuer, ClientID: o.OIDC.ClientID, ClientSecret: o.OIDC.ClientSecret, RedirectURL: o.RedirectURL, Redis: o.Redis,
		})
	}
	if len(o.Users) == 0 && l.oidc == nil && (!o.Socket || len(o.Links) > 0) {
		l.link = newLink(o.Cookies)
	}
	return l, l.addUsers()
}

func (l *Login) addUsers() error {
	withPassword := map[string]configs.User{}
	most := bcrypt.MinCost
	for _, u := range l.options.Users {
		switch u.Role {
		case configs.RoleOperator:
		case configs.RoleAdmin, configs.RoleReader, configs.RoleUser:
			if u.Tenant == "" || u.Role == configs.RoleUser && u.User == "" {
				return fmt.Errorf("%w: %s has no tenant, or no user", errBadUsers, u.Name)
			}
		default:
			return fmt.Errorf("%w: %s has no known role", errBadUsers, u.Name)
		}
		l.users[u.Name] = u
		if u.PasswordBcrypt.IsZero() && l.options.ForwardAuth.Header != "" {
			continue
		}
		cost, err := bcrypt.Cost([]byte(u.PasswordBcrypt.Reveal()))
		if err != nil {
			return fmt.Errorf("%w: %s has no bcrypt hash", errBadUsers, u.Name)
		}
		most = max(most, cost)
		withPassword[u.Name] = u
	}
	if len(withPassword) == 0 {
		return nil
	}
	unknown, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), most)
	if err != nil {
		return err
	}
	l.passwords = newPasswords(l, withPassword, unknown)
	return nil
}

// Passwords reports whether anybody signs in with name and password.
func (l *Login) Passwords() bool { return l.passwords != nil }

// Provider reports whether operators sign in at an OpenID Connect provider.
func (l *Login) Provider() bool { return l.oidc != nil }

func personOf(u configs.User) Person {
	return Person{Name: u.Name, Role: u.Role, Tenant: u.Tenant, User: u.User, Address: u.Address}
}

// SignIn signs a user in, in this browser. The error is ErrNoLogin, ErrTooLong, ErrBusy,
// ErrUnavailable or a *Paused.
func (l *Login) SignIn(w http.ResponseWriter, r *http.Request, name, password string) error {
	if l.passwords == nil {
		return ErrNoLogin
	}
	u, err := l.passwords.who(w, r, name, password)
	if err != nil {
		return err
	}
	return l.begin(w, r, session.Session{Way: byPassword, Name: u.Name, Proof: proofOf(u)})
}

// Who tells who sent a request, or why nobody is known. It may set a cookie. The error is
// ErrNoLogin, ErrNoLink, ErrNoApplication, ErrUnknownName, ErrTooLong, ErrBusy,
// ErrUnavailable or a *Paused.
func (l *Login) Who(w http.ResponseWriter, r *http.Request) (Person, error) {
	if p, ok, err := l.byProxy(r); ok || err != nil {
		return p, err // before Basic, which may be meant for the proxy
	}
	name, password, isBasic := r.BasicAuth()
	token, isBearer := Bearer(r)
	switch {
	case isBearer && l.link != nil && l.link.is(token):
		return linked(), nil
	case isBearer:
		return Person{}, l.WrongToken(r, token, l.unknown())
	case isBasic && l.passwords != nil:
		u, err := l.passwords.who(w, r, name, password)
		return personOf(u), err
	}
	if l.link != nil && l.link.knows(r, l.options.Now()) {
		p := linked()
		p.Session = true
		return p, nil
	}
	if p, err := l.bySession(r); err == nil || !errors.Is(err, ErrNoLogin) {
		return p, err
	}
	if l.options.Socket && len(l.options.Users) == 0 && l.oidc == nil && len(l.options.Links) == 0 {
		return Person{Name: "socket", Role: configs.RoleOperator}, nil
	}
	return l.byToken(r)
}

// linked is the operator who has the link.
func linked() Person { return Person{Name: "link", Role: configs.RoleOperator} }

// byToken is whoever sends the token of the link in the address.
func (l *Login) byToken(r *http.Request) (Person, error) {
	token := r.URL.Query().Get(tokenParameter)
	switch {
	case l.link == nil:
		return Person{}, l.unknown()
	case l.link.is(token):
		return linked(), nil
	}
	return Person{}, l.WrongToken(r, token, l.unknown())
}

// unknown says how somebody who is not known could come in.
func (l *Login) unknown() error {
	switch {
	case l.passwords != nil || l.oidc != nil:
		return ErrNoLogin
	case len(l.options.Links) > 0:
		return ErrNoApplication
	}
	return ErrNoLink
}

// ByLink answers a browser that comes by the link.
func (l *Login) ByLink(w http.ResponseWriter, r *http.Request) bool {
	if l.link == nil || r.Method != http.MethodGet || !l.link.is(r.URL.Query().Get(tokenParameter)) {
		return false
	}
	l.link.open(w, r, l.options.Now())
	return true
}

// Scraper reports whether a request has the token that opens /metrics.
func (l *Login) Scraper(r *http.Request) bool {
	token, ok := Bearer(r)
	return ok && sameToken(l.options.MetricsToken.Reveal(), token)
}

// WrongToken counts a token that opens nothing. A right one is never kept waiting:
// it cannot be guessed, while others can be made to wait in its name.
func (l *Login) WrongToken(r *http.Request, token string, err error) error {
	if token == "" {
		return err
	}
	address := proxies(l.options.Proxies).client(r)
	if wait := l.guesses.begin(guessedOf("token", neighborhood(address))); wait > 0 {
		return &Paused{wait}
	}
	l.options.Logger.Warn().Stringer("address", address).Msg("web: a wrong token")
	return err
}

// Bearer is the token of a request from a program (RFC 6750 §2.1).
func Bearer(r *http.Request) (token string, ok bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// Link lets a browser in, at base ("http://127.0.0.1:8080/problems"), as long as this
// process lives. It is empty where people sign in, or come by a unix socket.
func (l *Login) Link(base string) string {
	if l.link == nil {
		return ""
	}
	return l.link.at(base)
}
