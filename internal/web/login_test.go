package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func testLogin(t *testing.T, now func() time.Time) *login {
	t.Helper()
	hash := func(password string, cost int) secret.String {
		h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			t.Fatal(err)
		}
		return secret.New(string(h))
	}
	l, err := newLogin([]configs.User{
		{Name: "olga", Role: configs.RoleOperator, PasswordBcrypt: hash("olga's", bcrypt.MinCost)},
		{Name: "adam", Role: configs.RoleAdmin, Tenant: "acme", PasswordBcrypt: hash("adam's", bcrypt.MinCost+2)},
	}, now)
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
		"a very long password": {"olga", strings.Repeat("x", 10_000), person{}, errNoLogin},
		"the hash itself":      {"olga", l.users["olga"].PasswordBcrypt.Reveal(), person{}, errNoLogin},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the second time from memory
				got, err := l.who(request(tt.name, tt.password))
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
	if cost, err := bcrypt.Cost(l.unknown); cost != bcrypt.MinCost+2 || err != nil {
		t.Errorf("cost %d, %v", cost, err)
	}
	l.check <- struct{}{} // all places are taken: a check that is really made has to wait
	l.check <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"olga", "eve"} {
		if _, err := l.who(request(name, "x").WithContext(ctx)); !errors.Is(err, errBusy) {
			t.Errorf("%s: %v: no hash was compared", name, err)
		}
	}
}

func TestRightPasswordIsRemembered(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	l := testLogin(t, func() time.Time { return now })
	if _, err := l.who(request("olga", "olga's")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.who(request("olga", "wrong")); !errors.Is(err, errNoLogin) {
		t.Fatal(err)
	}
	l.check <- struct{}{}
	l.check <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		password string
		after    time.Duration
		want     error
	}{
		{"olga's", remember - 1, nil}, {"wrong", 0, errBusy}, {"olga's", 1, errBusy},
	} {
		now = now.Add(tt.after)
		if _, err := l.who(request("olga", tt.password).WithContext(ctx)); !errors.Is(err, tt.want) {
			t.Errorf("%s at %v: %v, want %v", tt.password, now, err, tt.want)
		}
	}
	if len(l.known) != 1 {
		t.Errorf("%d proofs", len(l.known))
	}
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
