package ui

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// A Pair is a text in English and in German. It may hold the verbs of package fmt.
type Pair [2]string

// Texts are words by their keys.
type Texts map[string]Pair

// mostZones bounds what is kept of templates for time zones.
const mostZones = 64

// A Set is the templates of one package of pages, with its words beside the shared ones.
type Set struct {
	ui    *UI
	texts Texts
	plain map[string]*template.Template // by language, never executed

	mu    sync.Mutex
	ready map[locale]*template.Template
}

type locale struct{ lang, zone string }

var errNoText = errors.New("web: no such text")

// Set reads the *.html files of a package, which may use the shared layout, and its
// words, which go before the shared ones. Without files it is words alone.
func (u *UI) Set(files fs.FS, words Texts) (*Set, error) {
	s := &Set{ui: u, texts: words, plain: map[string]*template.Template{}, ready: map[locale]*template.Template{}}
	for _, lang := range u.languages {
		t, err := template.New("").Funcs(s.functions(lang, time.UTC)).ParseFS(assets, "assets/*.html")
		if err == nil && files != nil {
			t, err = t.ParseFS(files, "*.html")
		}
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		s.plain[lang] = t
	}
	return s, s.complete(files)
}

// named finds the texts that a template names.
var named = regexp.MustCompile(`[{(]\s*t "([a-z0-9_]+)"`)

// complete reports the texts that the templates name, and that do not exist.
func (s *Set) complete(files fs.FS) error {
	if files == nil {
		return nil
	}
	paths, err := fs.Glob(files, "*.html")
	for _, path := range paths {
		content, failed := fs.ReadFile(files, path)
		err = errors.Join(err, failed)
		for _, m := range named.FindAllSubmatch(content, -1) {
			if _, missing := s.Text("en", string(m[1])); missing != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", path, missing))
			}
		}
	}
	return err
}

// Text is a text in a language, with its numbers.
func (s *Set) Text(lang, key string, args ...any) (string, error) {
	pair, ok := s.texts[key]
	if !ok {
		pair, ok = shared[key]
	}
	if !ok {
		return "", fmt.Errorf("%w: %s", errNoText, key)
	}
	format := pair[0]
	if lang == "de" {
		format = pair[1]
	}
	if len(args) == 0 {
		return format, nil
	}
	return fmt.Sprintf(format, args...), nil
}

// Say is Text in the language of a person. A key that does not exist is a fault of the
// program.
func (s *Set) Say(r *http.Request, p signin.Person, key string, args ...any) string {
	text, err := s.Text(s.ui.Language(r, p), key, args...)
	if err != nil {
		panic(err) // the guard answers 500 and logs it
	}
	return text
}

// template is the one for a language and a time zone.
func (s *Set) template(lang string, zone *time.Location) *template.Template {
	key := locale{lang, zone.String()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.ready[key]; ok {
		return t
	}
	if len(s.ready) >= mostZones {
		clear(s.ready)
	}
	t := template.Must(s.plain[lang].Clone()).Funcs(s.functions(lang, zone)) // was never executed
	s.ready[key] = t
	return t
}

// Render answers with a page; name is that of its file without ".html".
func (s *Set) Render(w http.ResponseWriter, r *http.Request, p signin.Person, status int, name string, page Page) {
	s.ui.remember(w, r)
	v := s.view(r, p, page)
	var out bytes.Buffer
	if err := s.template(v.Lang, v.Zone).ExecuteTemplate(&out, name+".html", v); err != nil {
		panic(err) // the guard answers 500 and logs it
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}
