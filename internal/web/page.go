package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/text/language"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
)

//go:embed assets
var assets embed.FS

// pages renders the templates.
type pages struct {
	templates map[string]*template.Template // by language
	matcher   language.Matcher
	languages []string // the default first
	version   string
	retention time.Duration
}

func newPages(fallback, version string, retention time.Duration) (*pages, error) {
	languages := []string{"en", "de"}
	i := slices.Index(languages, fallback)
	if i < 0 {
		return nil, fmt.Errorf("web: language %q: en or de", fallback)
	}
	languages[0], languages[i] = languages[i], languages[0]
	p := &pages{templates: map[string]*template.Template{}, languages: languages, version: version, retention: retention}
	var tags []language.Tag
	for _, lang := range languages {
		tags = append(tags, language.Make(lang))
		t, err := template.New("").Funcs(functions(lang)).ParseFS(assets, "assets/*.html")
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		p.templates[lang] = t
	}
	p.matcher = language.NewMatcher(tags)
	return p, nil
}

func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":    func(key string) (string, error) { return text(lang, key) },
		"hint": func(rule int) string { return failure.Hint(rule, lang) },
		"time": func(t time.Time) string {
			if lang == "de" {
				return t.Format("02.01.2006 15:04:05 MST")
			}
			return t.Format("2006-01-02 15:04:05 MST")
		},
		"span":      func(d time.Duration) string { return span(lang, d) },
		"iso":       func(t time.Time) string { return t.Format(time.RFC3339) },
		"concerned": func(e errorlog.Entry) string { return e.ConcernedRecipients(lang) },
		"tenant":    tenantParameter,
	}
}

// span is "24 hours".
func span(lang string, d time.Duration) string {
	switch hours := d / time.Hour; {
	case d%time.Hour != 0 || hours < 2:
		return d.String()
	case lang == "de":
		return fmt.Sprintf("%d Stunden", hours)
	default:
		return fmt.Sprintf("%d hours", hours)
	}
}

// language is what ?lang= asks for, else the browser, else the default.
func (p *pages) language(r *http.Request) string {
	if lang := r.FormValue("lang"); slices.Contains(p.languages, lang) {
		return lang
	}
	_, i := language.MatchStrings(p.matcher, r.Header.Get("Accept-Language"))
	return p.languages[i]
}

// A view is what every template is given.
type view struct {
	Lang    string
	Name    string // of the person, empty if nobody is signed in
	Role    string
	Tenant  string
	Version string
	Log     time.Duration // how long the error log holds an entry
	Known   bool          // may see pages at all
	Data    any
	here    url.URL
}

// Operator is for the templates.
func (v view) Operator() bool { return v.Role == "operator" }

// Other is a link to this page in the other language.
func (v view) Other(lang string) string {
	values := v.here.Query()
	values.Set("lang", lang)
	return v.here.EscapedPath() + "?" + values.Encode()
}

func (p *pages) render(w http.ResponseWriter, r *http.Request, who person, status int, name string, data any) {
	lang := p.language(r)
	v := view{
		Lang: lang, Name: who.name, Role: who.role, Tenant: who.tenant, Version: p.version, Log: p.retention,
		Known: who.role != "", Data: data, here: *r.URL,
	}
	var out bytes.Buffer
	if err := p.templates[lang].ExecuteTemplate(&out, name+".html", v); err != nil {
		panic(err) // guard answers 500 and logs it
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}

// problem says in plain words why there is no page. key picks the words.
func (p *pages) problem(w http.ResponseWriter, r *http.Request, who person, status int, key string) {
	p.render(w, r, who, status, "problem", struct {
		Status int
		Key    string
	}{status, key})
}

// asset serves the stylesheet or the icon, to everybody: the page that asks to
// sign in needs them.
func asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, assets, name)
	}
}

var errNoText = errors.New("no such text")

func text(lang, key string) (string, error) {
	pair, ok := texts[key]
	if !ok {
		return "", fmt.Errorf("%w: %s", errNoText, key)
	}
	if lang == "de" {
		return pair.de, nil
	}
	return pair.en, nil
}
