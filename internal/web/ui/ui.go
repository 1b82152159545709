package ui

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

//go:embed assets
var assets embed.FS

// Options of New.
type Options struct {
	Language string // for whom nobody names a known one: en (also if empty) or de
	Version  string // shown in the foot
	BasePath string // "/mail" in front of all addresses, without a slash at its end; may be empty
	Cookies  signin.Cookies
	// Retention is how long the error log holds an entry.
	Retention time.Duration
	Now       func() time.Time // nil: time.Now
}

// A UI is what all pages share.
type UI struct {
	options   Options
	languages []string // the fallback first
	matcher   language.Matcher
	areas     []Area
	own       *Set
}

// New reads the shared layout.
func New(o Options) (*UI, error) {
	o.Language = cmp.Or(o.Language, "en")
	if o.Now == nil {
		o.Now = time.Now
	}
	languages := []string{"en", "de"}
	i := slices.Index(languages, o.Language)
	if i < 0 {
		return nil, fmt.Errorf("web: language %q: en or de", o.Language)
	}
	languages[0], languages[i] = languages[i], languages[0]
	u := &UI{options: o, languages: languages}
	tags := make([]language.Tag, len(languages))
	for i, lang := range languages {
		tags[i] = language.Make(lang)
	}
	u.matcher = language.NewMatcher(tags)
	var err error
	u.own, err = u.Set(nil, nil)
	return u, err
}

// Languages are those of the pages, the fallback first.
func (u *UI) Languages() []string { return u.languages }

// URL is a path of these pages as a browser asks for it.
func (u *UI) URL(path string) string { return u.options.BasePath + path }

// Redirect leads the browser to a path of these pages, by GET.
func (u *UI) Redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, u.URL(path), http.StatusSeeOther)
}

// Problem says in plain words why there is no page. key picks the words.
func (u *UI) Problem(w http.ResponseWriter, r *http.Request, p signin.Person, status int, key string) {
	u.own.Render(w, r, p, status, "problem", Page{Title: u.own.Say(r, p, "not_shown"), Data: struct {
		Status int
		Key    string
	}{status, key}})
}

// Register serves the stylesheet and the icon, to everybody: the page that asks to
// sign in needs them.
func (u *UI) Register(router Router) {
	for _, name := range []string{"style.css", "icon.svg"} {
		router.Handle("GET /assets/"+name, Anyone, Asset(assets, "assets/"+name))
	}
}

// Asset serves a file, which browsers keep for an hour.
func Asset(files fs.FS, name string) Handler {
	return func(w http.ResponseWriter, r *http.Request, _ signin.Person) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, files, name)
	}
}

// here is the path of a request as the browser has asked for it.
func (u *UI) here(r *http.Request) string {
	path := r.URL.EscapedPath()
	if u.options.BasePath != "" && !strings.HasPrefix(path, u.options.BasePath+"/") {
		path = u.options.BasePath + path
	}
	return path
}
