package signin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/secret"
)

func bearing(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func noUsers(o *Options) { o.Users = nil }

// visitLink opens the link at path and returns the answer.
func visitLink(l *Login, path string, header ...string) *http.Response {
	r, w := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil), httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	l.ByLink(w, r)
	return w.Result()
}

func TestLink(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := testLogin(t, func() time.Time { return now }, noUsers)
	token := l.link.token
	if got := l.link.at("http://h/x"); got != "http://h/x?token="+token || len(token) < 26 {
		t.Errorf("link %s", got)
	}
	resp := visitLink(l, "/errors?lang=de&token="+token)
	_ = resp.Body.Close()
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/errors?lang=de" || len(cookies) != 1 {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	c := cookies[0]
	if c.Name != "rohrpost-session-8080" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure ||
		c.MaxAge != int(linkLife.Seconds()) || strings.Contains(c.Value, token) {
		t.Errorf("%+v", c)
	}
	tls := visitLink(l, "/?token="+token, "X-Forwarded-Proto", "https")
	_ = tls.Body.Close()
	if !tls.Cookies()[0].Secure {
		t.Error("not secure over TLS")
	}
	other := testLogin(t, time.Now, noUsers) // an earlier process
	tests := map[string]struct {
		cookie  *http.Cookie
		headers [2]string
		query   string
		after   time.Duration
		in      bool
	}{
		"nothing":              {},
		"the cookie":           {cookie: c, in: true},
		"the cookie, in time":  {cookie: c, after: linkLife - time.Second, in: true},
		"the cookie, too late": {cookie: c, after: linkLife},
		"another port's name":  {cookie: &http.Cookie{Name: "rohrpost-session-8081", Value: c.Value}},
		"another process'":     {cookie: &http.Cookie{Name: c.Name, Value: stamp(other.link.key, linkPurpose, now.Add(time.Hour))}},
		"the token as cookie":  {cookie: &http.Cookie{Name: c.Name, Value: token}},
		"no cookie's value":    {cookie: &http.Cookie{Name: c.Name, Value: ""}},
		"bearer":               {headers: [2]string{"Authorization", "Bearer " + token}, in: true},
		"bearer, small":        {headers: [2]string{"Authorization", "bearer  " + token}, in: true},
		"a wrong bearer":       {headers: [2]string{"Authorization", "Bearer " + other.link.token}},
		"an empty bearer":      {headers: [2]string{"Authorization", "Bearer "}},
		"the token as Basic":   {headers: [2]string{"Authorization", "Basic " + token}},
		"a wrong query":        {query: "?token=" + other.link.token},
		"an empty query":       {query: "?token="},
		"the right query":      {query: "?token=" + token, in: true},
		"a part of the token":  {query: "?token=" + token[:25]},
		"forged addresses":     {headers: [2]string{"X-Forwarded-For", "127.0.0.1"}},
	}
	begin := now
	for name, tt := range tests {
		now = begin.Add(tt.after)
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/"+tt.query, nil)
		if tt.cookie != nil {
			r.AddCookie(tt.cookie)
		}
		if tt.headers[0] != "" {
			r.Header.Set(tt.headers[0], tt.headers[1])
		}
		p, err := l.Who(httptest.NewRecorder(), r)
		if in := err == nil && p.Operator(); in != tt.in {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// Wrong tokens are slowed, and the right one never waits.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	l := testLogin(t, func() time.Time { return now }, noUsers)
	for range free {
		if _, err := l.Who(nil, bearing("wrong")); wait(err) != -1 {
			t.Fatal(err)
		}
	}
	if _, err := l.Who(nil, bearing("wrong")); wait(err) != time.Second {
		t.Errorf("the sixth: %v", err)
	}
	if p, err := l.Who(nil, bearing(l.link.token)); err != nil || !p.Operator() {
		t.Errorf("the right one: %v", err)
	}
}

// With users, and on a socket, there is no link.
func TestNoLink(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*Login{
		"users":            testLogin(t, time.Now),
		"users and socket": testLogin(t, time.Now, func(o *Options) { o.Socket = true }),
		"socket":           testLogin(t, time.Now, noUsers, func(o *Options) { o.Socket = true }),
	} {
		if l.link != nil {
			t.Errorf("%s: there is one", name)
		}
		resp := visitLink(l, "/?token=")
		_ = resp.Body.Close()
		if len(resp.Cookies()) > 0 {
			t.Errorf("%s: a cookie", name)
		}
		p, err := l.Who(nil, httptest.NewRequest(http.MethodGet, "/", nil))
		if in := err == nil && p == (Person{Name: "socket", Role: "operator"}); in != (name == "socket") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestScraper(t *testing.T) {
	t.Parallel()
	l := testLogin(t, time.Now, func(o *Options) { o.MetricsToken = secret.New("measure") })
	none := testLogin(t, time.Now)
	for token, want := range map[string]bool{"measure": true, "measurE": false, "": false} {
		if l.Scraper(bearing(token)) != want || none.Scraper(bearing(token)) {
			t.Errorf("%q", token)
		}
	}
	if l.Scraper(httptest.NewRequest(http.MethodGet, "/", nil)) || none.Scraper(httptest.NewRequest(http.MethodGet, "/", nil)) {
		t.Error("without a token")
	}
}
