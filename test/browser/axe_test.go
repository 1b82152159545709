package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// axeCore is the script of axe-core, which `make axe` has fetched.
func axeCore(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "bin", "axe-core-*.js"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("axe-core is missing: make axe")
		}
		t.Skip("axe-core is missing: make axe")
	}
	script, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// What axe-core looks for: all that it has for WCAG 2.2 AA and its best practices, or
// only what depends on the width of the window, or on the color scheme.
const (
	axeAll    = `rules: {"target-size": {enabled: true}}`
	axeSizes  = `runOnly: {type: "rule", values: ["target-size", "scrollable-region-focusable"]}`
	axeColors = `runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

// axeRun returns the violations, one a line. Frames are pages of their own.
const axeRun = `axe.run(document, {iframes: false, preload: false, resultTypes: ["violations"], %s})
	.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target + ": " + (n.any[0] || n.all[0] || n.none[0] || {message: v.help}).message)))`

// axe asks axe-core about the page as it looks now.
func (b *tab) axe(script, rules string) []string {
	b.t.Helper()
	if !evaluate[bool](b, `"axe" in window`) {
		evaluate[struct{}](b, script+";undefined")
	}
	return evaluate[[]string](b, fmt.Sprintf(axeRun, rules))
}

// A sight is what a page is to somebody who looks at it.
type sight struct {
	Title    string
	Lang     string
	Headings []string // of the first level
	Width    int      // that can be scrolled to
	Wide     []string // what reaches beyond the window
	Links    []string // paths of these pages
	Empty    []string // elements that say a key, a Go value or nothing
}

// seen looks at the page.
func (b *tab) seen() sight {
	b.t.Helper()
	var s sight
	text := evaluate[string](b, `JSON.stringify({
		Title: document.title, Lang: document.documentElement.lang,
		Headings: [...document.querySelectorAll("h1")].map(h => h.innerText.trim()),
		Width: document.documentElement.scrollWidth,
		Wide: [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(e => e.outerHTML.slice(0, 160)),
		Links: [...document.querySelectorAll("a[href]")].filter(a => a.origin === location.origin && !a.hash).map(a => a.pathname),
		Empty: [...document.querySelectorAll("main *")].filter(e => !e.children.length && /<no value>|%!|\bmap\[|<nil>/.test(e.textContent)).map(e => e.outerHTML.slice(0, 160)),
	})`)
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// problems are what is wrong with a sight in a window of that width.
func (s sight) problems(width int64, lang string) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if int64(s.Width) > width {
		say("scrolls sideways to %d px: %s", s.Width, strings.Join(s.Wide, " | "))
	}
	if s.Lang != lang {
		say("its language is %q", s.Lang)
	}
	if len(s.Headings) != 1 || s.Headings[0] == "" {
		say("its first headings are %q", s.Headings)
	}
	if len(s.Empty) > 0 {
		say("it shows %q", s.Empty)
	}
	return out
}
