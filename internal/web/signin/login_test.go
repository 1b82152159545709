package signin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func testLogin(t *testing.T, now func() time.Time, change ...func(*Options)) *Login {
	t.Helper()
	hash := func(password string, cost int) secret.String {
		h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			t.Fatal(err)
		}
		return secret.New(string(h))
	}
	o := Options{Now: now, Logger: zerolog.Nop(), Users: []configs.User{
		{Name: "olga", Role: configs.RoleOperator, PasswordBcrypt: hash("olga's", bcrypt.MinCost)},
		{Name: "adam", Role: configs.RoleAdmin, Tenant: "acme", PasswordBcrypt: hash("adam's", bcrypt.MinCost+2)},
		{Name: "lang", Role: configs.RoleOperator, PasswordBcrypt: hash(strings.Repeat("x", 72), bcrypt.MinCost)},
	}}
	for _, c := range change {
		c(&o)
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func request(name, password string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(name, password)
	return r
}

// try signs in, from an address if one is given, with the cookies that are given.
func try(l *Login, name, password, address string, cookies ...*http.Cookie) (Person, []*http.Cookie, error) {
	r, w := request(name, password), httptest.NewRecorder()
	if address != "" {
		r.RemoteAddr = net.JoinHostPort(address, "999")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	p, err := l.Who(w, r)
	return p, w.Result().Cookies(), err
}

func TestLogin(t *testing.T) {
	t.Parallel()
	l := testLogin(t, time.Now)
	tests := map[string]struct {
		name, password string
		want           Person
		err            error
	}{
		"operator":             {"olga", "olga's", Person{Name: "olga", Role: "operator"}, nil},
		"admin":                {"adam", "adam's", Person{Name: "adam", Role: "admin", Tenant: "acme"}, nil},
		"another's password":   {"olga", "adam's", Person{}, ErrNoLogin},
		"nobody":               {"eve", "olga's", Person{}, ErrNoLogin},
		"empty":                {"", "", Person{}, ErrNoLogin},
		"no password":          {"olga", "", Person{}, ErrNoLogin},
		"case counts":          {"Olga", "olga's", Person{}, ErrNoLogin},
		"72 octets":            {"lang", strings.Repeat("x", 72), Person{Name: "lang", Role: "operator"}, nil},
		"the same and more":    {"lang", strings.Repeat("x", 73), Person{}, ErrTooLong},
		"a very long password": {"olga", strings.Repeat("x", 10_000), Person{}, ErrTooLong},
		"the hash itself":      {"olga", l.passwords.users["olga"].PasswordBcrypt.Reveal(), Person{}, ErrNoLogin},
	}
	addresses := 0
	for name, tt := range tests {
		addresses++
		address := fmt.Sprintf("192.0.2.%d", addresses) // one each: they are not to count together
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second time from memory
				got, _, err := try(l, tt.name, tt.password, address)
				if got != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("%+v, %v", got, err)
				}
			}
		})
	}
}

// Whoever measures the time learns no names: an unknown one costs as much as the
// dearest known one.
func TestUnknownNameCostsAsMuch(t *testing.T) {
	t.Parallel()
	l := testLogin(t, time.Now)
	if cost, err := bcrypt.Cost(l.passwords.unknown); cost != bcrypt.MinCost+2 || err != nil {
		t.Errorf("cost %d, %v", cost, err)
	}
	for _, name := range []string{"olga", "eve"} {
		free := occupy(l)
		done := make(chan error)
		go func() { _, _, err := try(l, name, "x", ""); done <- err }()
		select {
		case err := <-done:
			t.Fatalf("%s: %v: no hash was compared", name, err)
		case l.passwords.turn <- struct{}{}: // does not happen: both turns are taken
		case <-waits(l):
		}
		free()
		if err := <-done; !errors.Is(err, ErrNoLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// occupy takes all turns, so that a check that is really made has to wait.
func occupy(l *Login) (free func()) {
	for range checks {
		l.passwords.turn <- struct{}{}
	}
	return func() {
		for range checks {
			<-l.passwords.turn
		}
	}
}

// waits is closed when somebody has come into the room.
func waits(l *Login) <-chan struct{} {
	in := make(chan struct{})
	go func() {
		defer close(in)
		for len(l.passwords.room) == 0 {
			runtime.Gosched()
		}
	}()
	return in
}
