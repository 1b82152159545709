package problempages

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// A question is what the parameters of the log and of the downloads ask for.
type question struct {
	whose  problems.Whose
	filter errorlog.Filter
	values url.Values // normalised: what a link repeats
}

// question reads the parameters category, job and recipient.
func (s *Pages) question(r *http.Request, p signin.Person) question {
	q := question{whose: whose(r), values: url.Values{}}
	for _, key := range []string{"category", "job", "recipient"} {
		if value := strings.TrimSpace(r.FormValue(key)); value != "" {
			q.values.Set(key, value)
		}
	}
	q.filter = errorlog.Filter{
		Tenant: q.whose.Tenant, AllTenants: q.whose.All, Category: q.values.Get("category"), JobID: q.values.Get("job"),
		Recipient: q.values.Get("recipient"), Zone: s.ui.Zone(r, p),
	}
	return q
}

// tenantName is for file names.
func (q question) tenantName() string {
	switch {
	case q.whose.All:
		return "all"
	case q.whose.Tenant == "":
		return "platform"
	}
	return q.whose.Tenant
}

// link repeats the question under a path below the problems of those who are asked for,
// with further parameters in pairs.
func (q question) link(rest string, pairs ...string) string {
	values := url.Values{}
	maps.Copy(values, q.values)
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	path := "/problems" + rest
	if !q.whose.All {
		path = ui.TenantPath(q.whose.Tenant, path)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// Download is the link to the whole log in a format, or to what is asked for.
func (q question) Download(format string) string { return q.link("/export", "format", format) }

// Home is the page without a choice.
func (q question) Home() string { return question{whose: q.whose}.link("") }

// Log is the log without a choice.
func (q question) Log() string { return question{whose: q.whose}.link("", "view", "log") }

// Value is a parameter as it was asked for.
func (q question) Value(key string) string { return q.values.Get(key) }

// Narrowed reports whether less than the whole log is asked for.
func (q question) Narrowed() bool {
	return q.filter.Category != "" || q.filter.JobID != "" || q.filter.Recipient != ""
}

// All reports whether it is asked of all tenants.
func (q question) All() bool { return q.whose.All }
