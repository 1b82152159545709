package mailpages

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// fields are those of the filter in an address.
func fields() []string { return []string{"state", "recipient", "id", "user", "from", "to"} }

// clock is how a browser writes a time of day (datetime-local); some leave the seconds out.
const clock = "2006-01-02T15:04"

// A form is a filter as somebody has entered it.
type form struct {
	Values url.Values
	Wrong  map[string]string // by field, in English
	filter mails.Filter
}

// read is the filter in the parameters of a request. Times are in the zone of the person.
func (p *Pages) read(r *http.Request, who signin.Person, from url.Values) form {
	f := form{Values: url.Values{}, Wrong: map[string]string{}}
	for _, name := range fields() {
		if value := strings.TrimSpace(from.Get(name)); value != "" {
			f.Values.Set(name, value)
		}
	}
	zone := p.ui.Zone(r, who)
	f.filter = mails.Filter{
		State: rohrpost.State(f.Values.Get("state")), Recipient: f.Values.Get("recipient"), User: f.Values.Get("user"),
		From: f.time("from", zone), To: f.time("to", zone),
	}
	if !f.filter.To.IsZero() {
		f.filter.To = f.filter.To.Add(time.Minute - time.Millisecond) // the whole minute
	}
	if id := f.Values.Get("id"); strings.Contains(id, "@") {
		f.filter.MessageID = id
	} else {
		f.filter.ID = id
	}
	return f
}

func (f *form) time(name string, zone *time.Location) time.Time {
	text := f.Values.Get(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(clock, text[:min(len(text), len(clock))], zone)
	if err != nil {
		f.Wrong[name] = "is no time"
	}
	return at
}

// Value is what was entered.
func (f form) Value(name string) string { return f.Values.Get(name) }

// Set reports whether anything was.
func (f form) Set() bool { return len(f.Values) > 0 }

// States are the choices.
func (form) States() []rohrpost.State { return mails.States() }

// Query is the filter for an address, with further parameters in pairs.
func (f form) Query(pairs ...string) string {
	values := url.Values{}
	for name := range f.Values {
		values.Set(name, f.Values.Get(name))
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}
