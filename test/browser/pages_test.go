package browser

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A view is a page as somebody opens it.
type view struct {
	name    string // of its picture; empty: it has none
	path    string // {acme} is the name of a tenant or user, {4711} any other part: see pathOf
	who     person
	status  int64 // 0: 200
	foreign bool  // asynqmon's own page: its words and widths are not ours
	phone   bool  // has a second picture: on a phone, dark
}

// views are every page there is.
func views() []view {
	return []view{
		{name: "overview", path: "/", who: olga, phone: true},
		{name: "tenant", path: "/t/{initech}/", who: ines},
		{path: "/t/{acme}/", who: olga},
		{name: "mails", path: "/t/{acme}/mails", who: anna, phone: true},
		{name: "mail", path: "/t/{acme}/mails/{" + refusedID + "}", who: anna},
		{path: "/t/{acme}/mails/{" + acceptedID + "}", who: olga},
		{path: "/t/{initech}/mails/{" + parkedID + "}", who: rita},
		{path: "/t/{globex}/mails/{" + slowID + "}", who: olga},
		{path: "/t/{acme}/mails/{" + laterID + "}", who: anna},
		{name: "mails-cancel", path: "/t/{acme}/mails/all/cancel", who: anna},
		{path: "/t/{acme}/mails/all/retry", who: anna},
		{path: "/t/{acme}/mails/all/putoff", who: anna},
		{name: "problems", path: "/problems", who: olga},
		{name: "problems-of-a-tenant", path: "/t/{initech}/problems", who: rita},
		{name: "log", path: "/problems?view=log", who: olga},
		{path: "/t/{acme}/problems?view=log", who: anna},
		{name: "accounts", path: "/t/{acme}/accounts", who: anna},
		{name: "account", path: "/t/{acme}/accounts/tenant", who: anna, phone: true},
		{name: "account-parked", path: "/t/{initech}/accounts/tenant", who: ines},
		{path: "/t/{initech}/accounts/tenant", who: rita},
		{name: "account-choice", path: "/t/{acme}/accounts/tenant?choose", who: anna},
		{name: "account-microsoft", path: "/t/{acme}/accounts/user/{max}?provider=microsoft365", who: maxBrandt},
		{name: "explain", path: "/t/{acme}/accounts/explain?user={max}&origin=manual", who: anna},
		{name: "branding", path: "/t/{acme}/branding", who: anna},
		{name: "settings", path: "/t/{acme}/settings", who: anna},
		{path: "/t/{hooli}/settings", who: olga},
		{name: "tenants", path: "/tenants", who: olga},
		{name: "approvals", path: "/approvals", who: olga},
		{name: "approval", path: "/approvals/{hooli}", who: olga},
		{path: "/approvals/{acme}/user/{max}", who: olga},
		{name: "system", path: "/system", who: olga},
		{name: "system-account", path: "/system/account", who: olga},
		{name: "system-check", path: "/system/check", who: olga},
		{path: "/system/check/repair", who: olga},
		{name: "system-history", path: "/system/history", who: olga},
		{name: "queues", path: "/queues/", who: olga, foreign: true},
		{name: "me", path: "/me", who: anna},
		{name: "login", path: "/login", who: nobody},
		{path: "/system", who: rita, status: http.StatusForbidden},
		{path: "/t/{acme}/problems", who: rita, status: http.StatusForbidden},
		{path: "/gibt-es-nicht", who: olga, status: http.StatusNotFound},
	}
}

// notPages are addresses to which links lead that are no page: files, and the ways of
// old to pages.
func notPages() []string {
	return []string{"/metrics", "/problems/export", "/t/{tenant}/problems/export", "/errors"}
}

var braces = regexp.MustCompile(`\{([^}$]+)\}`)

// pathOf is where a view is at a site.
func (s *site) pathOf(v view) string {
	return braces.ReplaceAllStringFunc(v.path, func(part string) string {
		part = strings.Trim(part, "{}")
		if slices.Contains(owners, part) || part == "max" {
			part = s.named(part)
		}
		return url.PathEscape(part)
	})
}

// pattern is the one of net/http.ServeMux for the pages that are like this one.
func (v view) pattern() string {
	path, _, _ := strings.Cut(v.path, "?")
	if strings.HasSuffix(path, "/") && !v.foreign { // else it would be all that is below
		path += "{$}"
	}
	n := 0
	return braces.ReplaceAllStringFunc(path, func(string) string { n++; return fmt.Sprintf("{part%d}", n) })
}

// knownPages has the patterns of all views, and of what is no page.
func knownPages() *http.ServeMux {
	known, patterns := http.NewServeMux(), notPages()
	for _, v := range views() {
		patterns = append(patterns, v.pattern())
	}
	slices.Sort(patterns)
	for _, pattern := range slices.Compact(patterns) {
		known.Handle(pattern, http.NotFoundHandler())
	}
	return known
}

// TestWorld: what must hold for every page of an installation on a bad morning.
func TestWorld(t *testing.T) {
	t.Parallel()
	s := newWorld(t, "")
	t.Run("pages", func(t *testing.T) { everyPage(t, s) })
	t.Run("forms of other sites", func(t *testing.T) { crossOrigin(t, s) })
}

// everyPage looks at all pages in both languages, both color schemes and at four
// widths. Each link of a page leads to a page that is looked at here.
func everyPage(t *testing.T, s *site) {
	script, known := axeCore(t), knownPages()
	for _, lang := range []string{"de", "en"} {
		for _, who := range visitors() {
			t.Run(lang+" "+who.name, func(t *testing.T) {
				t.Parallel()
				titles := map[string]string{}
				s.each(t, who, lang, func(t *testing.T, b *tab, v view) {
					last := v.lookAt(s, b, lang, script)
					if v.foreign || v.status != 0 {
						return
					}
					if other, ok := titles[last.Title]; ok && other != v.pattern() {
						t.Errorf("the title %q is also that of %s", last.Title, other)
					}
					titles[last.Title] = v.pattern()
					for _, path := range last.Links {
						if !leadsTo(known, path) {
							t.Errorf("a link leads to %s, which nobody looks at here", path)
						}
					}
				})
			})
		}
	}
}

// visitors are the people of the views.
func visitors() []person {
	var people []person
	for _, v := range views() {
		if !slices.Contains(people, v.who) {
			people = append(people, v.who)
		}
	}
	return people
}

// each opens a window for a person and has them look at each of their views, one after
// the other.
func (s *site) each(t *testing.T, who person, lang string, look func(*testing.T, *tab, view)) {
	t.Helper()
	b := s.of(t).openIn(t, who, lang)
	for _, v := range views() {
		if v.who == who {
			t.Run(v.path, func(t *testing.T) {
				b.t = t
				look(t, b, v)
			})
		}
	}
	b.t = t
}

func leadsTo(known *http.ServeMux, path string) bool {
	r, err := http.NewRequest(http.MethodGet, path, http.NoBody)
	if err != nil {
		return false
	}
	_, pattern := known.Handler(r)
	return pattern != ""
}

// lookAt opens the page and looks at it from all sides.
func (v view) lookAt(s *site, b *tab, lang, script string) sight {
	b.t.Helper()
	v.arrive(s, b)
	var last sight
	if v.foreign {
		return last
	}
	for _, width := range []int64{320, 390, 768, 1280} {
		b.look(width, false)
		last = b.seen()
		rules := axeSizes // what the width changes
		if width == 320 {
			rules = axeAll
		}
		for _, problem := range append(last.problems(width, lang), b.axe(script, rules)...) {
			b.t.Errorf("%d px: %s", width, problem)
		}
	}
	b.look(320, true)
	for _, problem := range b.axe(script, axeColors) { // what the color scheme changes
		b.t.Errorf("dark: %s", problem)
	}
	return last
}

// arrive opens the page: it has its status, and asks for nothing that fails or is
// elsewhere.
func (v view) arrive(s *site, b *tab) {
	b.t.Helper()
	b.noticed() // what the page before has said since
	status := b.visit(s.pathOf(v))
	if want := cmp.Or(v.status, http.StatusOK); status != want {
		b.t.Errorf("status %d, want %d", status, want)
	}
	console, outside, dialogs := b.noticed()
	if v.status >= http.StatusBadRequest {
		console = nil // says that the page has this status
	}
	if len(console)+len(outside)+len(dialogs) > 0 {
		b.t.Errorf("console %q, requests to %q, dialogs %q", console, outside, dialogs)
	}
}

// TestEyes: what TestEveryPage looks with sees what it should see.
func TestEyes(t *testing.T) {
	script := axeCore(t)
	b := newTab(t, "http://127.0.0.1")
	evaluate[struct{}](b, fmt.Sprintf(`document.body.innerHTML = %q; undefined`,
		`<main><p style="width:900px;color:#aaa;background:#bbb">&lt;no value&gt;</p><img src="data:,"></main>`))
	b.look(320, false)
	got := strings.Join(append(b.seen().problems(320, "de"), b.axe(script, axeAll)...), "\n")
	for _, want := range []string{"sideways to 9", "its language", "first headings", "no value", "color-contrast", "image-alt"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
