package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web"
)

// TestSignInPage: a browser is led to the page to sign in, and back to what it wanted.
func TestSignInPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser(t)
	got := b.get("/errors?tenant=acme&page=2")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/login?next="+url.QueryEscape("/errors?tenant=acme&page=2") {
		t.Fatalf("%d %v", got.status, got.header)
	}
	page := b.get(got.header.Get("Location"))
	if page.status != http.StatusOK || !strings.Contains(page.body, `name="next" value="/errors?tenant=acme&amp;page=2"`) ||
		!strings.Contains(page.body, `autocomplete="current-password"`) || strings.Contains(page.body, "single sign-on") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	wrong := b.post("/login", "name", "adam", "password", "wrong", "next", "/errors")
	if wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, "user name or the password is wrong") || b.session() != "" ||
		!strings.Contains(wrong.body, `value="adam"`) || !strings.Contains(wrong.body, `value="/errors"`) || strings.Contains(wrong.body, `value="wrong"`) {
		t.Fatalf("%d %s", wrong.status, wrong.body)
	}
	in := b.post("/login", "name", "adam", "password", "pw", "next", "/errors?tenant=acme&page=2")
	if in.status != http.StatusSeeOther || in.header.Get("Location") != "/errors?tenant=acme&page=2" {
		t.Fatalf("%d %v", in.status, in.header)
	}
	c := in.cookie("rohrpost-session")
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || c.Domain != "" || len(c.Value) < 26 {
		t.Errorf("%+v", c)
	}
	if page := b.get("/me"); page.status != http.StatusOK || !strings.Contains(page.body, "adam") {
		t.Errorf("%d", page.status)
	}
	// What belongs to no page is refused; a script of a page asks for no password.
	for _, path := range []string{"/api/accounts/explain", "/queues/api/queues", "/metrics"} {
		stranger := s.browser(t)
		if got := stranger.get(path); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
		if got := stranger.get(path, "Sec-Fetch-Mode", "cors"); got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s, by a script: %d %v", path, got.status, got.header)
		}
	}
	if got := s.get(t, "", "/errors", "Accept", "*/*"); got.status != http.StatusUnauthorized {
		t.Errorf("a program: %d", got.status)
	}
	if log := s.lines.String(); strings.Contains(log, c.Value) || !strings.Contains(log, `"user":"adam"`) {
		t.Errorf("log: %s", log)
	}
}

// TestOpenRedirect: the sign-in leads to pages of this site alone.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for next, want := range map[string]string{
		"/errors": "/errors", "/errors?job=a%2Fb": "/errors?job=a%2Fb", "": "/", "errors": "/", "//evil.example": "/", "//evil.example/errors": "/",
		"https://evil.example/": "/", `\\evil.example`: "/", `/\evil.example`: "/", "/%5cevil.example": "/", "///evil.example": "/", "http:evil.example": "/",
		"javascript:alert(1)": "/", "/\t/evil.example": "/", "/errors\r\nSet-Cookie: a=b": "/", "https:/errors": "/", "/login": "/", "/logout": "/", " /errors": "/",
	} {
		b := s.browser(t)
		page := b.get("/login?" + url.Values{"next": {next}}.Encode())
		got := b.post("/login", "name", "olga", "password", "pw", "next", next)
		if got.status != http.StatusSeeOther || got.header.Get("Location") != want || !strings.Contains(page.body, `name="next" value="`+want+`"`) {
			t.Errorf("%q leads to %d %q", next, got.status, got.header.Get("Location"))
		}
	}
}

// TestFixation: an id that somebody has planted in a browser signs nobody in, and each
// sign-in has a new one.
func TestFixation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	thief := s.browser(t)
	thief.signIn("rita")
	planted := thief.session()
	for _, id := range []string{planted, "AAAAAAAAAAAAAAAAAAAAAAAAAA", ""} {
		victim := s.browser(t)
		for name := range thief.jar {
			if strings.Contains(name, "session") {
				victim.jar[name] = id
			}
		}
		victim.signIn("olga")
		if victim.session() == id {
			t.Errorf("%q is an operator's session", id)
		}
	}
	if got := thief.get("/queues/"); got.status != http.StatusSeeOther {
		t.Errorf("with the planted id: %d", got.status)
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	other := newSiteAt(t, s.redis, func(o *web.Options) { o.Users = s.users }) // another process
	first, second, olga := s.browser(t), s.browser(t), s.browser(t)
	first.signIn("adam")
	second.signIn("adam")
	olga.signIn("olga")
	if me := first.get("/me"); me.status != http.StatusOK || !strings.Contains(me.body, `action="/logout"`) || !strings.Contains(me.body, "adam@acme.example") {
		t.Errorf("%d %s", me.status, me.body)
	}
	id := first.session()
	with := func(b *browser, id string) int {
		thief := other.browser(t)
		for name := range b.jar {
			if strings.Contains(name, "session") {
				_, port, _ := strings.Cut(strings.TrimPrefix(other.URL, "http://"), ":")
				thief.jar["rohrpost-session-"+port] = id
			}
		}
		return thief.get("/me").status
	}
	if status := with(first, id); status != http.StatusOK {
		t.Fatalf("at another process: %d", status)
	}
	out := first.post("/logout")
	if out.status != http.StatusOK || first.session() != "" || !strings.Contains(out.body, "You have signed out") {
		t.Errorf("%d %v", out.status, first.jar)
	}
	if got := first.get("/me"); got.status != http.StatusSeeOther {
		t.Errorf("afterwards: %d", got.status)
	}
	if status := with(second, id); status != http.StatusSeeOther {
		t.Errorf("with the old id, at another process: %d", status)
	}
	if got := second.get("/me"); got.status != http.StatusOK {
		t.Errorf("another browser: %d", got.status)
	}
	first.signIn("adam")
	first.post("/logout", "everywhere", "1")
	if got := second.get("/me"); got.status != http.StatusSeeOther {
		t.Errorf("another browser, after the sign-out in all: %d", got.status)
	}
	if got := olga.get("/me"); got.status != http.StatusOK {
		t.Errorf("another person: %d", got.status)
	}
	if again := first.post("/logout"); again.status != http.StatusOK {
		t.Errorf("twice: %d", again.status)
	}
}

// TestChangedUsers: a session ends with its user, and with the password; role and tenant
// are those of the configuration.
func TestChangedUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser(t)
	b.signIn("olga")
	hash, err := bcrypt.GenerateFromPassword([]byte("another"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change func(*web.Options)
		want   int
	}{
		"the same":         {nil, http.StatusOK},
		"removed":          {func(o *web.Options) { o.Users = o.Users[1:] }, http.StatusSeeOther},
		"another password": {func(o *web.Options) { o.Users[0].PasswordBcrypt = secret.New(string(hash)) }, http.StatusSeeOther},
		"another role":     {func(o *web.Options) { o.Users[0].Role, o.Users[0].Tenant = configs.RoleReader, "acme" }, http.StatusForbidden},
	} {
		changed := newSiteAt(t, s.redis, func(o *web.Options) {
			o.Users[0].PasswordBcrypt = s.users[0].PasswordBcrypt
			if tt.change != nil {
				tt.change(o)
			}
		})
		visitor := changed.browser(t)
		_, port, _ := strings.Cut(strings.TrimPrefix(changed.URL, "http://"), ":")
		visitor.jar["rohrpost-session-"+port] = b.session()
		if got := visitor.get("/queues/"); got.status != tt.want {
			t.Errorf("%s: %d, want %d", name, got.status, tt.want)
		}
	}
}

// TestFormOfAnotherSite: nobody is signed in or out by a page elsewhere.
func TestFormOfAnotherSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser(t)
	b.signIn("olga")
	id := b.session()
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, path := range []string{"/login", "/logout", "/me"} {
			got := b.send(http.MethodPost, path, "name=adam&password=pw&language=de&zone=UTC", append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
			if got.status != http.StatusForbidden || b.session() != id {
				t.Errorf("%v %s: %d", header, path, got.status)
			}
		}
	}
}

// TestGuessersAtTheForm: who has signed in goes on while others guess, and the guards of
// HTTP Basic hold for the form.
func TestGuessersAtTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	olga := s.browser(t)
	olga.signIn("olga")
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			guesser := s.browser(t)
			for try := range 10 {
				got := guesser.post("/login", "name", "olga", "password", fmt.Sprint("guess", n, try))
				if got.status == http.StatusSeeOther || got.status >= 500 && got.status != http.StatusServiceUnavailable {
					t.Errorf("a guesser: %d", got.status)
				}
			}
		})
	}
	for range 20 {
		if got := olga.get("/me"); got.status != http.StatusOK {
			t.Errorf("olga: %d", got.status)
		}
	}
	wg.Wait()
	got := s.browser(t).post("/login", "name", "olga", "password", "wrong")
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "too many wrong passwords") {
		t.Errorf("one more: %d %v", got.status, got.header)
	}
}

// TestFrozenRedis: whoever has signed in is told within three seconds that it cannot be
// checked, and nobody is let in.
func TestFrozenRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { o.Links = issuers() })
	b := s.browser(t)
	b.signIn("olga")
	s.redis.Pause()
	defer s.redis.Resume()
	for name, ask := range map[string]func() answered{
		"a page":   func() answered { return b.get("/me") },
		"sign-in":  func() answered { return s.browser(t).post("/login", "name", "olga", "password", "pw") },
		"a link":   func() answered { return s.browser(t).get("/sso?token=" + linkFor(t, operatorLink)) },
		"sign-out": func() answered { return b.post("/logout") },
	} {
		begin := time.Now()
		got := ask()
		if took := time.Since(begin); got.status != http.StatusServiceUnavailable || took > 3*time.Second || !strings.Contains(got.body, "Redis") {
			t.Errorf("%s: %d after %v", name, got.status, took)
		}
	}
	if b.session() == "" {
		t.Error("the browser has forgotten a session that lives on")
	}
}

// TestMe: language and time zone are kept for the browser.
func TestMe(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	b := s.browser(t)
	b.signIn("rita")
	if got := b.post("/me", "language", "de", "zone", "Europe/Vienna"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/me?done=saved" {
		t.Fatalf("%d %v", got.status, got.header)
	}
	me := b.get("/me?done=saved")
	for _, want := range []string{`lang="de"`, "gespeichert", "<option selected>Europe/Vienna</option>", "Leser", "acme", "ändert nichts"} {
		if !strings.Contains(me.body, want) {
			t.Errorf("%s is missing: %s", want, me.body)
		}
	}
	for _, zone := range []string{"Local", "../../etc/passwd", "", "<script>"} {
		if got := b.post("/me", "language", "de", "zone", zone); got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, "<script>") {
			t.Errorf("%q: %d", zone, got.status)
		}
	}
	if got := s.get(t, "olga", "/me"); got.status != http.StatusOK || strings.Contains(got.body, `action="/logout"`) {
		t.Errorf("by HTTP Basic: %d", got.status)
	}
}
