package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/secret"
)

var (
	errNoLogin  = errors.New("no user of that name and password")
	errNoLink   = errors.New("not opened by the link")
	errTooLong  = errors.New("a password of more than 72 octets")
	errBusy     = errors.New("too many logins at a time")
	errBadUsers = errors.New("web: users")
)

// paused is the error of a try that came too soon after wrong ones.
type paused struct{ wait time.Duration }

func (p *paused) Error() string { return fmt.Sprintf("too many wrong tries: wait %v", p.wait) }

// A person is whoever sent the request.
type person struct{ name, role, tenant, address string }

func (p person) operator() bool { return p.role == configs.RoleOperator }

// mayRead reports whether p may see the errors of a tenant.
func (p person) mayRead(tenant string) bool {
	return p.operator() || p.tenant != "" && p.tenant == tenant
}

// loginOptions say who may come in.
type loginOptions struct {
	users   []configs.User
	socket  bool          // without users: whoever connects is the operator
	metrics secret.String // the token that opens /metrics; empty: none does
	proxies proxies
	now     func() time.Time
	logger  zerolog.Logger
}

// login tells who sends a request. With users in the configuration they sign in with
// name and password. Without any there is one operator: who has the link, or may
// open the unix socket. No address is trusted: behind a proxy everybody comes from
// this machine.
type login struct {
	loginOptions
	link      *link // nil: with users, and on a socket
	passwords *passwords
	guesses   *guesses
}

func newLogin(o loginOptions) (*login, error) {
	l := &login{loginOptions: o, guesses: newGuesses(o.now)}
	if len(o.users) == 0 && !o.socket {
		l.link = newLink()
	}
	users := map[string]configs.User{}
	most := bcrypt.MinCost
	for _, u := range o.users {
		cost, err := bcrypt.Cost([]byte(u.PasswordBcrypt.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("%w: %s has no bcrypt hash", errBadUsers, u.Name)
		}
		switch u.Role {
		case configs.RoleOperator:
		case configs.RoleAdmin, configs.RoleReader:
			if u.Tenant == "" {
				return nil, fmt.Errorf("%w: %s has no tenant", errBadUsers, u.Name)
			}
		default:
			return nil, fmt.Errorf("%w: %s has no known role", errBadUsers, u.Name)
		}
		most = max(most, cost)
		users[u.Name] = u
	}
	if len(users) == 0 {
		return l, nil
	}
	unknown, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), most)
	if err != nil {
		return nil, err
	}
	l.passwords = newPasswords(l, users, unknown)
	return l, nil
}

// who tells who sent a request, or why nobody is known. It may set a cookie.
func (l *login) who(w http.ResponseWriter, r *http.Request) (person, error) {
	switch {
	case l.passwords != nil:
		if token, ok := bearer(r); ok {
			return person{}, l.wrongToken(r, token, errNoLogin)
		}
		return l.passwords.who(w, r)
	case l.socket:
		return person{name: "socket", role: configs.RoleOperator}, nil
	}
	operator := person{name: "link", role: configs.RoleOperator}
	if l.link.knows(r, l.now()) {
		return operator, nil
	}
	token, ok := bearer(r)
	if !ok {
		token = r.URL.Query().Get(tokenParameter)
	}
	if l.link.is(token) {
		return operator, nil
	}
	return person{}, l.wrongToken(r, token, errNoLink)
}

// byLink answers a browser that comes by the link.
func (l *login) byLink(w http.ResponseWriter, r *http.Request) bool {
	if l.link == nil || r.Method != http.MethodGet || !l.link.is(r.URL.Query().Get(tokenParameter)) {
		return false
	}
	l.link.open(w, r, l.now())
	return true
}

// scraper reports whether a request has the token that opens /metrics.
func (l *login) scraper(r *http.Request) bool {
	token, ok := bearer(r)
	return ok && sameToken(l.metrics.Reveal(), token)
}

// wrongToken counts a token that opens nothing. A right one is never kept waiting:
// it cannot be guessed, while others can be made to wait in its name.
func (l *login) wrongToken(r *http.Request, token string, err error) error {
	if token == "" {
		return err
	}
	address := l.proxies.client(r)
	if wait := l.guesses.begin(guessedOf("token", neighborhood(address))); wait > 0 {
		return &paused{wait}
	}
	l.logger.Warn().Stringer("address", address).Msg("web: a wrong token")
	return err
}

// bearer is the token of a request from a program (RFC 6750 §2.1).
func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}
