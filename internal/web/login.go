package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
)

var (
	errNotHere  = errors.New("not from this machine")
	errNoLogin  = errors.New("no user of that name and password")
	errBusy     = errors.New("too many logins at a time")
	errBadUsers = errors.New("web: users")
)

const (
	// remember is how long a password that was right is not checked by bcrypt
	// again: a page is several requests, each check costs some 60 ms.
	remember = 5 * time.Minute
	// checks is how many passwords are checked at a time, so that guessing does
	// not take every core from the workers of this process.
	checks = 2
)

// A person is whoever sent the request.
type person struct{ name, role, tenant, address string }

func (p person) operator() bool { return p.role == configs.RoleOperator }

// mayRead reports whether p may see the errors of a tenant.
func (p person) mayRead(tenant string) bool {
	return p.operator() || p.tenant != "" && p.tenant == tenant
}

// login knows the users of the configuration.
type login struct {
	users   map[string]configs.User
	unknown []byte // a hash that costs as much as a user's, for names nobody has
	now     func() time.Time
	check   chan struct{} // a place for each check under way

	key   [sha256.Size]byte // of this process
	mu    sync.Mutex
	known map[string]proof // by name
}

// A proof is an HMAC of a password that was right. The password is not kept.
type proof struct {
	mark  [sha256.Size]byte
	until time.Time
}

func newLogin(users []configs.User, now func() time.Time) (*login, error) {
	l := &login{
		users: map[string]configs.User{}, now: now,
		check: make(chan struct{}, checks), known: map[string]proof{},
	}
	_, _ = rand.Read(l.key[:]) // never fails
	most := bcrypt.MinCost
	for _, u := range users {
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
		l.users[u.Name] = u
	}
	var err error
	if len(users) > 0 {
		l.unknown, err = bcrypt.GenerateFromPassword([]byte(rand.Text()), most)
	}
	return l, err
}

// who tells who sent a request, or why nobody is known.
func (l *login) who(r *http.Request) (person, error) {
	if len(l.users) == 0 {
		if !fromHere(r) {
			return person{}, errNotHere
		}
		return person{role: configs.RoleOperator}, nil
	}
	name, password, ok := r.BasicAuth()
	if !ok {
		return person{}, errNoLogin
	}
	u, exists := l.users[name]
	hash := []byte(u.PasswordBcrypt.Reveal())
	if !exists {
		hash = l.unknown
	}
	mark := l.mark(name, password)
	if !l.remembered(name, mark) {
		select {
		case l.check <- struct{}{}:
		case <-r.Context().Done():
			return person{}, errBusy
		}
		err := bcrypt.CompareHashAndPassword(hash, []byte(password))
		<-l.check
		if err != nil || !exists {
			return person{}, errNoLogin
		}
		l.remember(name, mark)
	}
	return person{u.Name, u.Role, u.Tenant, u.Address}, nil
}

// mark stands for name and password in memory. A name holds no NUL.
func (l *login) mark(name, password string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, l.key[:])
	h.Write([]byte(name + "\x00" + password))
	h.Sum(out[:0])
	return out
}

func (l *login) remembered(name string, mark [sha256.Size]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.known[name]
	return hmac.Equal(p.mark[:], mark[:]) && l.now().Before(p.until)
}

func (l *login) remember(name string, mark [sha256.Size]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[name] = proof{mark, l.now().Add(remember)}
}

// fromHere reports whether a request comes from a program on this machine that
// knows that it speaks to this machine. The Host header stops a web page whose
// name was rebound to 127.0.0.1; a forwarding header gives away a proxy, behind
// which anybody may stand.
func fromHere(r *http.Request) bool {
	for _, forwarded := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(forwarded) != "" {
			return false
		}
	}
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && loopback(remote) && loopback(hostOnly(r.Host))
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	if n := len(hostport); n > 2 && hostport[0] == '[' && hostport[n-1] == ']' {
		return hostport[1 : n-1]
	}
	return hostport
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
