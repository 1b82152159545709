package signin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// wait is how long a try was told to wait, or -1.
func wait(err error) time.Duration {
	if p, ok := errors.AsType[*Paused](err); ok {
		return p.Wait
	}
	return -1
}

func TestGuessing(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := testLogin(t, func() time.Time { return now })
	guess := func(name, address string) time.Duration {
		_, _, err := try(l, name, "wrong", address)
		return wait(err)
	}
	for n := range free {
		if w := guess("olga", "192.0.2.1"); w != -1 {
			t.Fatalf("try %d: wait %v", n, w)
		}
	}
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		want := time.Duration(seconds) * time.Second
		if w := guess("olga", "192.0.2.1"); w != want {
			t.Fatalf("wait %v, want %v", w, want)
		}
		if _, _, err := try(l, "olga", "olga's", "192.0.2.1"); wait(err) != want {
			t.Fatalf("the right password is a guess, too: %v", err)
		}
		now = now.Add(want - 1)
		if w := guess("olga", "192.0.2.1"); w != 1 {
			t.Fatalf("a nanosecond early: wait %v", w)
		}
		now = now.Add(1)
		if w := guess("olga", "192.0.2.1"); w != -1 {
			t.Fatalf("after the pause: wait %v", w)
		}
	}
	if w := guess("adam", "192.0.2.1"); w != time.Minute {
		t.Errorf("another name from there: wait %v", w)
	}
	if p, _, err := try(l, "olga", "olga's", "192.0.2.2"); err != nil || p.Name != "olga" {
		t.Errorf("the user, from elsewhere: %v", err)
	}
	now = now.Add(forgetGuesses)
	if w := guess("olga", "192.0.2.1"); w != -1 {
		t.Errorf("after a long time: wait %v", w)
	}
}

// Behind a proxy that is not named everybody has this machine's address: a guesser
// makes nobody wait but the name guessed at, and that one not in a browser it knows.
func TestGuessingBehindOneAddress(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	clock := func() time.Time { return now }
	l := testLogin(t, clock)
	_, cookies, err := try(l, "olga", "olga's", "127.0.0.1")
	if err != nil || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("%v %v", cookies, err)
	}
	restarted := testLogin(t, clock)
	restarted.passwords.users = l.passwords.users
	for range 2 * free {
		_, _, _ = try(restarted, "olga", "wrong", "127.0.0.1")
	}
	if _, _, err := try(restarted, "olga", "olga's", "127.0.0.1"); wait(err) <= 0 {
		t.Errorf("a stranger with the right password: %v", err)
	}
	if _, _, err := try(restarted, "olga", "olga's", "127.0.0.1", cookies...); err != nil {
		t.Errorf("in a familiar browser: %v", err)
	}
	if _, _, err := try(restarted, "adam", "adam's", "127.0.0.1"); err != nil {
		t.Errorf("another user: %v", err)
	}
	// The cookie alone lets nobody guess, and is good for its user alone.
	for range 2 * free {
		_, _, err = try(restarted, "olga", "wrong", "127.0.0.1", cookies...)
	}
	if wait(err) <= 0 {
		t.Errorf("guesses in a familiar browser: %v", err)
	}
	for range 2 * free {
		_, _, err = try(restarted, "adam", "wrong", "127.0.0.1", cookies...)
	}
	if wait(err) <= 0 {
		t.Errorf("guesses at another user: %v", err)
	}
}

// A new password makes every browser a stranger.
func TestFamiliarBrowserEndsWithThePassword(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := testLogin(t, func() time.Time { return now })
	olga := l.passwords.users["olga"]
	value := stamp(familiarKey(olga), "olga", now.Add(time.Hour))
	for name, tt := range map[string]struct {
		key     []byte
		purpose string
		value   string
		at      time.Time
		want    bool
	}{
		"good":             {familiarKey(olga), "olga", value, now, true},
		"another password": {familiarKey(l.passwords.users["adam"]), "olga", value, now, false},
		"another user":     {familiarKey(olga), "adam", value, now, false},
		"too late":         {familiarKey(olga), "olga", value, now.Add(time.Hour), false},
		"a later end":      {familiarKey(olga), "olga", stamp([]byte("x"), "olga", now.Add(2*time.Hour))[:11] + value[11:], now, false},
		"cut":              {familiarKey(olga), "olga", value[:len(value)-1], now, false},
		"nothing":          {familiarKey(olga), "olga", "", now, false},
		"no base64":        {familiarKey(olga), "olga", strings.Repeat("*", len(value)), now, false},
	} {
		if got := stamped(tt.key, tt.purpose, tt.value, tt.at); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// However many guess at once, few wait, and who has signed in does not.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := testLogin(t, time.Now)
		if _, _, err := try(l, "olga", "olga's", ""); err != nil {
			t.Fatal(err)
		}
		free := occupy(l)
		var wg sync.WaitGroup
		results := make(chan error, 200)
		for n := range cap(results) {
			wg.Go(func() {
				_, _, err := try(l, fmt.Sprint("eve", n), "x", fmt.Sprintf("198.51.100.%d", n))
				results <- err
			})
		}
		synctest.Wait()
		if n := len(results); n != cap(results)-mostWaiting-checks {
			t.Errorf("%d were answered at once", n)
		}
		for range len(results) {
			if err := <-results; !errors.Is(err, ErrBusy) {
				t.Errorf("%v", err)
			}
		}
		if _, _, err := try(l, "olga", "olga's", ""); err != nil {
			t.Errorf("who has signed in: %v", err)
		}
		free()
		wg.Wait()
	})
}

// A browser sends several requests at once with the password that was just typed.
func TestSamePasswordAtOnceIsOneTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := testLogin(t, time.Now)
		free := occupy(l)
		var wg sync.WaitGroup
		for range 15 { // more than are free
			wg.Go(func() {
				if _, _, err := try(l, "olga", "olga's", "192.0.2.1"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		free()
		wg.Wait()
	})
}

func TestRightPasswordIsRemembered(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := testLogin(t, func() time.Time { return now })
	if _, _, err := try(l, "olga", "olga's", ""); err != nil {
		t.Fatal(err)
	}
	free := occupy(l) // no password can be checked
	for range 3 {     // each use renews it
		now = now.Add(remember - 1)
		if _, cookies, err := try(l, "olga", "olga's", ""); err != nil || len(cookies) > 0 {
			t.Fatalf("%v %v", cookies, err)
		}
	}
	free()
	if _, _, err := try(l, "olga", "wrong", ""); !errors.Is(err, ErrNoLogin) {
		t.Errorf("a wrong one: %v", err)
	}
	now = now.Add(remember)
	if l.passwords.remembered("olga", l.passwords.mark("olga", "olga's")) {
		t.Error("it is remembered for longer than it should")
	}
	if len(l.passwords.known) != 1 {
		t.Errorf("%d proofs", len(l.passwords.known))
	}
}

// Mistypes before the right password are forgotten with it.
func TestRightPasswordForgetsMistypes(t *testing.T) {
	t.Parallel()
	l := testLogin(t, time.Now)
	for round := range 3 {
		for range free - 1 {
			if _, _, err := try(l, "olga", "wrong", "127.0.0.1"); !errors.Is(err, ErrNoLogin) {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		clear(l.passwords.known)
		if _, _, err := try(l, "olga", "olga's", "127.0.0.1"); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	g := newGuesses(func() time.Time { return now })
	target := guessedOf("pair", "olga", "192.0.2.1")
	for range free {
		g.begin(target)
	}
	for n := range 3 * mostGuessesKnown {
		g.begin(guessedOf("pair", fmt.Sprint(n), "192.0.2.2"))
		if n == mostGuessesKnown/2 && g.begin(target) <= 0 {
			t.Error("others' guesses made room too early")
		}
	}
	if len(g.counts) != mostGuessesKnown || g.order.Len() != mostGuessesKnown {
		t.Errorf("%d counts, %d in order", len(g.counts), g.order.Len())
	}
}

// The log names a user, and no name that nobody has: it may be a password.
func TestRefusalIsLogged(t *testing.T) {
	t.Parallel()
	var lines strings.Builder
	l := testLogin(t, time.Now, func(o *Options) { o.Logger = zerolog.New(&lines) })
	for _, name := range []string{"olga", "canary-name"} {
		_, _, _ = try(l, name, "canary-password", "192.0.2.7")
	}
	_, _ = l.Who(nil, bearing("canary-token"))
	log := lines.String()
	if strings.Contains(log, "canary") || !strings.Contains(log, `"user":"olga","address":"192.0.2.7"`) || strings.Count(log, "\n") != 3 {
		t.Error(log)
	}
}
