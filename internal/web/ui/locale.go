package ui

import (
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

const (
	// languageCookie and zoneCookie hold what a person has chosen in this browser.
	languageCookie = "rohrpost-language"
	zoneCookie     = "rohrpost-zone"
	choiceLife     = 365 * 24 * time.Hour
)

// Language is what ?lang= asks for, else what was chosen before, else what the
// application has said of the person, else the browser's, else the fallback.
func (u *UI) Language(r *http.Request, p signin.Person) string {
	for _, lang := range []string{r.URL.Query().Get("lang"), u.options.Cookies.Get(r, languageCookie), p.Language} {
		if slices.Contains(u.languages, lang) {
			return lang
		}
	}
	_, i := language.MatchStrings(u.matcher, r.Header.Get("Accept-Language"))
	return u.languages[i]
}

// Zone is the time zone that was chosen, else the one that the application has said,
// else UTC.
func (u *UI) Zone(r *http.Request, p signin.Person) *time.Location {
	for _, name := range []string{u.options.Cookies.Get(r, zoneCookie), p.Zone} {
		if zone, ok := ParseZone(name); ok {
			return zone
		}
	}
	return time.UTC
}

// ParseZone finds a zone of the IANA database by its name.
func ParseZone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// remember keeps the language that was asked for.
func (u *UI) remember(w http.ResponseWriter, r *http.Request) {
	if lang := r.URL.Query().Get("lang"); slices.Contains(u.languages, lang) {
		u.Choose(w, r, lang, "")
	}
}

// Choose keeps a language and a time zone in this browser; "" leaves what was chosen.
func (u *UI) Choose(w http.ResponseWriter, r *http.Request, lang, zone string) {
	for name, value := range map[string]string{languageCookie: lang, zoneCookie: zone} {
		if value == "" {
			continue
		}
		u.options.Cookies.Set(w, r, name, value, choiceLife)
	}
}
