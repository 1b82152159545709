package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A browser keeps cookies, and follows nothing. Its header comes along with each request,
// in pairs; it looks for pages.
type browser struct {
	t      *testing.T
	site   *site
	jar    map[string]string
	header []string
}

func (s *site) browser(t *testing.T, header ...string) *browser {
	return &browser{t, s, map[string]string{}, append([]string{"Accept", "text/html"}, header...)}
}

func (b *browser) get(path string, header ...string) answered {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", header...)
}

// post sends a form of this site; fields are pairs.
func (b *browser) post(path string, fields ...string) answered {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.send(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

func (b *browser) send(method, path, body string, header ...string) answered {
	b.t.Helper()
	var cookies []string
	for _, name := range slices.Sorted(maps.Keys(b.jar)) {
		cookies = append(cookies, name+"="+b.jar[name])
	}
	got := b.site.do(b.t, "", method, path, body, append(append([]string{"Cookie", strings.Join(cookies, "; ")}, b.header...), header...)...)
	for _, c := range got.cookies() {
		b.jar[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		}
	}
	return got
}

func (a answered) cookies() []*http.Cookie { return (&http.Response{Header: a.header}).Cookies() }

// cookie is the first one whose name has this part, nil if none was set.
func (a answered) cookie(part string) *http.Cookie {
	for _, c := range a.cookies() {
		if strings.Contains(c.Name, part) {
			return c
		}
	}
	return nil
}

// session is the id that the browser has, "" if it has none.
func (b *browser) session() string {
	for name, value := range b.jar {
		if strings.Contains(name, "rohrpost-session") {
			return value
		}
	}
	return ""
}

// signIn signs a user in, with everybody's password.
func (b *browser) signIn(name string) {
	b.t.Helper()
	if got := b.post("/login", "name", name, "password", "pw"); got.status != http.StatusSeeOther || b.session() == "" {
		b.t.Fatalf("%s: %d %s", name, got.status, got.body)
	}
}
