package web

import (
	"encoding/json"
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

func testLogin(t *testing.T, now func() time.Time, change ...func(*loginOptions)) *login {
	t.Helper()
	hash := func(password string, cost int) secret.String {
		h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			t.Fatal(err)
		}
		return secret.New(string(h))
	}
	o := loginOptions{now: now, logger: zerolog.Nop(), users: []configs.User{
		{Name: "olga", Role: configs.RoleOperator, PasswordBcrypt: hash("olga's", bcrypt.MinCost)},
		{Name: "adam", Role: configs.RoleAdmin, Tenant: "acme", PasswordBcrypt: hash("adam's", bcrypt.MinCost+2)},
		{Name: "lang", Role: configs.RoleOperator, PasswordBcrypt: hash(strings.Repeat("x", 72), bcrypt.MinCost)},
	}}
	for _, c := range change {
		c(&o)
	}
	l, err := newLogin(o)
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
func try(l *login, name, password, address string, cookies ...*http.Cookie) (person, []*http.Cookie, error) {
	r, w := request(name, password), httptest.NewRecorder()
	if address != "" {
		r.RemoteAddr = net.JoinHostPort(address, "999")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	p, err := l.who(w, r)
	return p, w.Result().Cookies(), err
}

func TestLogin(t *testing.T) {
	t.Parallel()
	l := testLogin(t, time.Now)
	tests := map[string]struct {
		name, password string
		want           person
		err            error
	}{
		"operator":             {"olga", "olga's", person{name: "olga", role: "operator"}, nil},
		"admin":                {"adam", "adam's", person{name: "adam", role: "admin", tenant: "acme"}, nil},
		"another's password":   {"olga", "adam's", person{}, errNoLogin},
		"nobody":               {"eve", "olga's", person{}, errNoLogin},
		"empty":                {"", "", person{}, errNoLogin},
		"no password":          {"olga", "", person{}, errNoLogin},
		"case counts":          {"Olga", "olga's", person{}, errNoLogin},
		"72 octets":            {"lang", strings.Repeat("x", 72), person{name: "lang", role: "operator"}, nil},
		"the same and more":    {"lang", strings.Repeat("x", 73), person{}, errTooLong},
		"a very long password": {"olga", strings.Repeat("x", 10_000), person{}, errTooLong},
		"the hash itself":      {"olga", l.passwords.users["olga"].PasswordBcrypt.Reveal(), person{}, errNoLogin},
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
		if err := <-done; !errors.Is(err, errNoLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// occupy takes all turns, so that a check that is really made has to wait.
func occupy(l *login) (free func()) {
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
func waits(l *login) <-chan struct{} {
	in := make(chan struct{})
	go func() {
		defer close(in)
		for len(l.passwords.room) == 0 {
			runtime.Gosched()
		}
	}()
	return in
}

func TestFileName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.FixedZone("", 3600))
	for tenant, want := range map[string]string{
		"acme": "acme", "Müller & Söhne": "M-ller---S-hne", "../../etc/passwd": "------etc-passwd", "a\"\r\nX: y": "a---X--y",
		strings.Repeat("a", 200): strings.Repeat("a", 64),
	} {
		if got := fileName(tenant, at, ".csv"); got != "rohrpost-errors-"+want+"-20260102T140405Z.csv" {
			t.Errorf("%q: %s", tenant, got)
		}
	}
}

func FuzzTenantParameter(f *testing.F) {
	f.Add("")
	f.Add("@platform")
	f.Add("@@")
	f.Fuzz(func(t *testing.T, tenant string) {
		if got := tenantOf(tenantParameter(tenant)); got != tenant {
			t.Errorf("%q came back as %q", tenant, got)
		}
		if tenantParameter(tenant) == "" {
			t.Errorf("%q means all tenants", tenant)
		}
	})
}

// FuzzMasked: no address survives in an error, and JSON stays JSON.
func FuzzMasked(f *testing.F) {
	f.Add("550 <", "> no such user")
	f.Add("a\n&\"\\", "\u2028")
	f.Add("to=b@c.example,", ",d@[192.0.2.1]")
	f.Fuzz(func(t *testing.T, before, after string) {
		text, err := json.Marshal(map[string]string{"error_message": before + "canary@c.example" + after})
		if err != nil {
			t.Skip(err)
		}
		got := masked(text)
		if strings.Contains(string(got), "canary@") || !json.Valid(got) {
			t.Errorf("%s became %s", text, got)
		}
	})
}

func TestEveryTextHasBothLanguages(t *testing.T) {
	t.Parallel()
	for key, pair := range texts {
		if pair.en == "" || pair.de == "" {
			t.Errorf("%s: %+v", key, pair)
		}
	}
}
