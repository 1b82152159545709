package attack

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const goodPassword = "the right password"

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// users adds operators with goodPassword to rohrpost.yaml.
func (s *site) users(names ...string) {
	s.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(goodPassword), 10)
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, n := range names {
		list = append(list, fmt.Sprintf("{name: %s, role: operator, password_bcrypt: %q}", n, hash))
	}
	s.configure(fmt.Sprintf("redis: {url: %%[1]q}\naccounts: {store: redis}\nweb:\n  users: [%s]\n", strings.Join(list, ", ")))
}

const behindProxy = "ROHRPOST_WEB_TRUSTED_PROXIES=127.0.0.1"

// from is a request's way through the trusted proxy.
func from(address, name, password string) []string {
	return []string{"X-Forwarded-For", address, "Authorization", basic(name, password)}
}

// TestM3Guessing: five wrong passwords are free, then the pause doubles; the user
// signs in from elsewhere all the while.
func TestM3Guessing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.users("olga", "otto")
	p := s.start("web", behindProxy)
	v := visitor{t, p.addr}
	const guesser = "192.0.2.66"
	for n := range 5 {
		if got := v.ask(http.MethodGet, "/problems", from(guesser, "olga", fmt.Sprint("wrong", n))...); got.status != http.StatusUnauthorized {
			t.Fatalf("try %d: %d", n, got.status)
		}
	}
	got := v.ask(http.MethodGet, "/problems", from(guesser, "olga", "wrong again")...)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" {
		t.Fatalf("the sixth: %d %v", got.status, got.header)
	}
	begin := time.Now()
	waitFor(t, "the pause ends", func() bool {
		return v.ask(http.MethodGet, "/problems", from(guesser, "olga", "wrong again")...).status == http.StatusUnauthorized
	})
	if took := time.Since(begin); took < 300*time.Millisecond {
		t.Errorf("the pause was %v", took)
	}
	got = v.ask(http.MethodGet, "/problems", from(guesser, "otto", goodPassword)...)
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "2" {
		t.Errorf("another name from there: %d %v", got.status, got.header)
	}
	// Forged hops in front change nothing.
	if got := v.ask(http.MethodGet, "/problems", from("203.0.113.9, "+guesser, "olga", "wrong")...); got.status != http.StatusTooManyRequests {
		t.Errorf("behind a forged hop: %d", got.status)
	}
	if got := v.ask(http.MethodGet, "/problems", from("192.0.2.1", "olga", goodPassword)...); got.status != http.StatusOK {
		t.Errorf("the user, from elsewhere: %d", got.status)
	}
	if got := v.ask(http.MethodGet, "/problems", from(guesser, "olga", goodPassword)...); got.status != http.StatusOK {
		t.Errorf("the user, who has signed in, beside the guesser: %d", got.status)
	}
	said := p.said.String()
	if !strings.Contains(said, `"user":"olga","address":"192.0.2.66"`) {
		t.Errorf("the log does not name who is guessed at: %s", said)
	}
	v.ask(http.MethodGet, "/problems", from("192.0.2.2", "secret-in-the-name-field", "x")...)
	if strings.Contains(p.said.String(), "secret-in-the-name-field") {
		t.Error("the log has a name that nobody has")
	}
}

// TestM3ManyAtOnce: 120 at once hold nothing up.
func TestM3ManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.users("olga", "otto")
	p := s.start("web", behindProxy)
	v := visitor{t, p.addr}
	if got := v.ask(http.MethodGet, "/problems", from("192.0.2.1", "olga", goodPassword)...); got.status != http.StatusOK {
		t.Fatalf("olga: %d", got.status)
	}
	const many = 120
	answers := make(chan answer, many)
	var wg sync.WaitGroup
	for n := range many {
		wg.Go(func() {
			a, err := v.try(http.MethodGet, "/problems", from(fmt.Sprintf("198.51.100.%d", n), fmt.Sprint("eve", n), "wrong")...)
			if err != nil {
				t.Error(err)
			}
			answers <- a
		})
	}
	refused := 0
	for range many / 2 {
		switch got := <-answers; {
		case got.status == http.StatusServiceUnavailable && got.header.Get("Retry-After") != "":
			refused++
		case got.status != http.StatusUnauthorized:
			t.Errorf("%d %v", got.status, got.header)
		}
	}
	if refused < many/4 {
		t.Errorf("%d of %d were told to come again: the others wait for bcrypt", refused, many/2)
	}
	asked := time.Now()
	if got := v.ask(http.MethodGet, "/problems", from("192.0.2.1", "olga", goodPassword)...); got.status != http.StatusOK || time.Since(asked) > time.Second {
		t.Errorf("who has signed in: %d after %v", got.status, time.Since(asked))
	}
	waitFor(t, "another user signs in", func() bool {
		return v.ask(http.MethodGet, "/problems", from("192.0.2.3", "otto", goodPassword)...).status == http.StatusOK
	})
	wg.Wait()
}

// TestM3LongPassword: bcrypt ignores what follows the 72nd octet; rohrpost does not.
func TestM3LongPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	long := strings.Repeat("x", 72)
	hash := strings.TrimSpace(s.run(long+"\n", "web", "hash-password"))
	s.configure(fmt.Sprintf("redis: {url: %%[1]q}\nweb:\n  users: [{name: olga, role: operator, password_bcrypt: %q}]\n", hash))
	p := s.start("web")
	v := visitor{t, p.addr}
	if got := v.ask(http.MethodGet, "/problems", "Authorization", basic("olga", long+"y")); got.status != http.StatusUnauthorized || !strings.Contains(got.body, "72") {
		t.Errorf("73 octets: %d", got.status)
	}
	if got := v.ask(http.MethodGet, "/problems", "Authorization", basic("olga", long)); got.status != http.StatusOK {
		t.Errorf("72 octets: %d", got.status)
	}
	for _, bad := range []string{"", "\n", "short", long + "y", "two lines\nof text"} {
		if out, problem, err := s.try(bad, "web", "hash-password"); err == nil || out != "" || !strings.Contains(problem, "password") {
			t.Errorf("%q: %s %s", bad, out, problem)
		}
	}
}
