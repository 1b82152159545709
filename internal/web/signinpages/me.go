package signinpages

import (
	"net/http"
	"slices"

	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// A profile is what the page about oneself shows.
type profile struct {
	Zones []string
	Zone  string // that is in force
	Wrong bool   // the one that was asked for does not exist
}

func (p *Pages) me(w http.ResponseWriter, r *http.Request, who signin.Person) {
	p.showMe(w, r, who, http.StatusOK, false)
}

func (p *Pages) showMe(w http.ResponseWriter, r *http.Request, who signin.Person, status int, wrong bool) {
	zone := p.ui.Zone(r, who).String()
	list := zones()
	if !slices.Contains(list, zone) { // one that an application has named
		list = append([]string{zone}, list...)
	}
	p.set.Render(w, r, who, status, "me", ui.Page{Title: p.say(r, who, "me"), Area: "me", Data: profile{list, zone, wrong}})
}

// choose keeps the language and the time zone.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request, who signin.Person) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	lang, zone := r.PostFormValue("language"), r.PostFormValue("zone")
	if _, known := ui.ParseZone(zone); !known || !slices.Contains(p.ui.Languages(), lang) {
		p.showMe(w, r, who, http.StatusUnprocessableEntity, true)
		return
	}
	p.ui.Choose(w, r, lang, zone)
	p.ui.Redirect(w, r, "/me?done=saved")
}

// zones are those to choose from, by their names in the IANA database: one of each time
// in Europe, and the great ones elsewhere.
func zones() []string {
	return []string{
		"UTC",
		"Europe/Amsterdam", "Europe/Athens", "Europe/Belgrade", "Europe/Berlin", "Europe/Bratislava", "Europe/Brussels", "Europe/Bucharest", "Europe/Budapest",
		"Europe/Copenhagen", "Europe/Dublin", "Europe/Helsinki", "Europe/Istanbul", "Europe/Kyiv", "Europe/Lisbon", "Europe/Ljubljana", "Europe/London",
		"Europe/Luxembourg", "Europe/Madrid", "Europe/Malta", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Riga", "Europe/Rome", "Europe/Sofia",
		"Europe/Stockholm", "Europe/Tallinn", "Europe/Vaduz", "Europe/Vienna", "Europe/Vilnius", "Europe/Warsaw", "Europe/Zagreb", "Europe/Zurich",
		"America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Toronto",
		"Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos",
		"Asia/Dubai", "Asia/Hong_Kong", "Asia/Jerusalem", "Asia/Kolkata", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo",
		"Australia/Sydney", "Pacific/Auckland",
	}
}
