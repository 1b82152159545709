package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/singleflight"

	"github.com/rohrpost/rohrpost/configs"
)

const (
	// remember is how long after its last use a password that was right is known
	// without bcrypt: a page is several requests, each check costs some 250 ms.
	remember = 12 * time.Hour
	// checks is how many passwords are checked at a time, so that guessing does
	// not take every core from the workers of this process.
	checks = 2
	// mostWaiting is how many wait for a check, but for those with a familiar browser.
	mostWaiting = 20
	// maxPassword is what bcrypt looks at; it ignores what follows.
	maxPassword = 72
	// familiarLife is how long a browser stays familiar after a sign-in.
	familiarLife   = 30 * 24 * time.Hour
	familiarCookie = "rohrpost-browser"
)

// passwords checks those of the users.
//
// Nobody can lock out a user by guessing at their name. What was right once is known
// without a check; and a browser in which the user has signed in before has a cookie
// by which its tries are counted, and wait, apart from everybody else's.
type passwords struct {
	*Login
	users   map[string]configs.User // that have a password
	unknown []byte                  // a hash that costs as much as a user's, for names nobody has
	turn    chan struct{}           // a place for each check under way
	room    chan struct{}           // a place for each that waits for one, or has it
	flights singleflight.Group

	key   [sha256.Size]byte // of this process
	mu    sync.Mutex
	known map[string]proof // by name: no more than there are users
}

// A proof is an HMAC of a password that was right. The password is not kept.
type proof struct {
	mark  [sha256.Size]byte
	until time.Time
}

func newPasswords(l *Login, users map[string]configs.User, unknown []byte) *passwords {
	p := &passwords{
		Login: l, users: users, unknown: unknown,
		turn: make(chan struct{}, checks), room: make(chan struct{}, mostWaiting+checks), known: map[string]proof{},
	}
	_, _ = rand.Read(p.key[:]) // never fails
	return p
}

// who signs a user in. The error is ErrNoLogin, ErrTooLong, ErrBusy or a *Paused.
func (p *passwords) who(w http.ResponseWriter, r *http.Request, name, password string) (configs.User, error) {
	if len(password) > maxPassword {
		return configs.User{}, ErrTooLong
	}
	u := p.users[name] // the zero user if nobody has the name
	mark := p.mark(name, password)
	if !p.remembered(name, mark) {
		if err := p.verify(r, u, name, password, mark); err != nil {
			return configs.User{}, err
		}
		p.remember(name, mark)
		p.options.Cookies.setStrict(w, r, familiarCookie, stamp(familiarKey(u), u.Name, p.options.Now().Add(familiarLife)), familiarLife)
	}
	return u, nil
}

// verify checks a password that is not known. The same one sent several times at
// once, as browsers do, is one check and one try.
func (p *passwords) verify(r *http.Request, u configs.User, name, password string, mark [sha256.Size]byte) error {
	a := p.attempt(r, u, name)
	if !a.familiar {
		select {
		case p.room <- struct{}{}:
			defer func() { <-p.room }()
		default:
			return ErrBusy
		}
	}
	_, err, _ := p.flights.Do(string(mark[:]), func() (any, error) { return nil, a.check(u, password) })
	return err
}

// An attempt is a password on its way to its check.
type attempt struct {
	*passwords
	address  netip.Addr
	familiar bool
	counts   []guessed // that it counts for; the first is the user's own
}

func (p *passwords) attempt(r *http.Request, u configs.User, name string) *attempt {
	a := &attempt{passwords: p, address: proxies(p.options.Proxies).client(r)}
	if u.Name != "" {
		if value, ok := stampedCookie(r, p.options.Cookies.name(r, familiarCookie), familiarKey(u), u.Name, p.options.Now()); ok {
			a.familiar, a.counts = true, []guessed{guessedOf("browser", value)}
			return a
		}
	}
	near := neighborhood(a.address)
	a.counts = []guessed{guessedOf("pair", name, near), guessedOf("name", name)}
	if !a.address.IsLoopback() { // else it may be everybody's, behind a proxy
		a.counts = append(a.counts, guessedOf("address", near))
	}
	return a
}

// check compares a password when it is its turn. A name that nobody has costs as
// much as any.
func (a *attempt) check(u configs.User, password string) error {
	if wait := a.guesses.begin(a.counts...); wait > 0 {
		return &Paused{wait}
	}
	exists, hash := u.Name != "", []byte(u.PasswordBcrypt.Reveal())
	if !exists {
		hash = a.unknown
	}
	a.turn <- struct{}{}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	<-a.turn
	if err != nil || !exists {
		a.guesses.wrong(a.counts...)
		// Not a name that nobody has: it may be a password in the wrong field.
		a.options.Logger.Warn().Str("user", u.Name).Stringer("address", a.address).Msg("web: a wrong password")
		return ErrNoLogin
	}
	a.guesses.takeBack(a.counts...)
	a.guesses.forget(a.counts[0])
	return nil
}

// familiarKey is a key that ends with the user's password, and that nobody can work
// out who has not read the configuration.
func familiarKey(u configs.User) []byte {
	sum := sha256.Sum256([]byte(familiarCookie + "\x00" + u.PasswordBcrypt.Reveal()))
	return sum[:]
}

// mark stands for name and password in memory. No user's name holds a NUL.
func (p *passwords) mark(name, password string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, p.key[:])
	h.Write([]byte(name + "\x00" + password))
	h.Sum(out[:0])
	return out
}

func (p *passwords) remembered(name string, mark [sha256.Size]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[name]
	now := p.options.Now()
	if !hmac.Equal(k.mark[:], mark[:]) || !now.Before(k.until) {
		return false
	}
	p.known[name] = proof{mark, now.Add(remember)}
	return true
}

func (p *passwords) remember(name string, mark [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[name] = proof{mark, p.options.Now().Add(remember)}
}
