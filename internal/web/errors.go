package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
)

const (
	pageEntries = 50
	maxPages    = 100 // beyond, the download is the better way
	// searchTime is how long one page may search the log. A search that takes longer
	// shows what it has found and how far it came, and goes on by a link.
	searchTime = 1500 * time.Millisecond
)

// A question is what the parameters of /errors and /errors/export ask for.
type question struct {
	filter errorlog.Filter
	values url.Values // normalised: what a link repeats
}

// platform is how the parameter tenant names the platform's own mails. A tenant
// whose name begins with @ has it doubled.
const platform = "@platform"

func tenantParameter(tenant string) string {
	switch {
	case tenant == "":
		return platform
	case tenant[0] == '@':
		return "@" + tenant
	}
	return tenant
}

func tenantOf(parameter string) string {
	if parameter == platform {
		return ""
	}
	if strings.HasPrefix(parameter, "@@") {
		return parameter[1:]
	}
	return parameter
}

// tenantName is for headings and file names.
func (q question) tenantName() string {
	switch {
	case q.filter.AllTenants:
		return "all"
	case q.filter.Tenant == "":
		return "platform"
	}
	return q.filter.Tenant
}

// question reads the parameters tenant, category, job and recipient. Without a
// tenant an operator asks for all and everybody else for their own. If p may not
// ask that, it answers and is not ok.
func (s *Server) question(w http.ResponseWriter, r *http.Request, p person) (q question, ok bool) {
	q.values = url.Values{}
	for _, key := range []string{"tenant", "category", "job", "recipient", "lang"} {
		if value := strings.TrimSpace(r.FormValue(key)); value != "" {
			q.values.Set(key, value)
		}
	}
	q.filter = errorlog.Filter{
		Category: q.values.Get("category"), JobID: q.values.Get("job"), Recipient: q.values.Get("recipient"),
	}
	tenant := q.values.Get("tenant")
	switch {
	case tenant == "" && p.operator():
		q.filter.AllTenants = true
	case tenant == "":
		q.filter.Tenant = p.tenant
	default:
		q.filter.Tenant = tenantOf(tenant)
	}
	if !q.filter.AllTenants && !p.mayRead(q.filter.Tenant) {
		s.pages.problem(w, r, p, http.StatusForbidden, "forbidden_tenant")
		return q, false
	}
	return q, true
}

// errorsPage is what the template shows.
type errorsPage struct {
	question
	Tenants    []string // of an operator's choice
	Categories []string
	Entries    []errorlog.Entry
	Older      string // links; empty: none
	Newer      string
	Page       int
	Last       bool      // the page beyond which only the download goes
	Back       time.Time // how far a search came whose time was up; zero: to the end
	Further    string    // the link by which it goes on
}

func (s *Server) errors(w http.ResponseWriter, r *http.Request, p person) {
	q, ok := s.question(w, r, p)
	if !ok {
		return
	}
	view := errorsPage{question: q, Categories: failure.Categories(), Page: 1}
	if n, err := strconv.Atoi(r.FormValue("page")); err == nil {
		view.Page = min(max(n, 1), maxPages)
	}
	// Pages after the first are of the log as the first one showed it.
	until := s.options.Now()
	if ms, err := strconv.ParseInt(r.FormValue("until"), 10, 64); err == nil {
		until = time.UnixMilli(ms)
		view.filter.To = until
	}
	more, err := s.search(r, p, &view)
	if err != nil {
		s.unread(w, r, p, err)
		return
	}
	if !view.Back.IsZero() {
		view.Further = view.pageLink(1, view.Back)
	}
	if more && view.Page < maxPages {
		view.Older = view.pageLink(view.Page+1, until)
	}
	view.Last = more && view.Page == maxPages
	if view.Page > 1 {
		view.Newer = view.pageLink(view.Page-1, until)
	}
	s.pages.render(w, r, p, http.StatusOK, "errors", view)
}

// unread answers when the log was not read.
func (s *Server) unread(w http.ResponseWriter, r *http.Request, p person, err error) {
	key := "unavailable"
	switch {
	case errors.Is(err, errNoTurn):
		key = "searching"
		retryAfter(w, busyFor)
	case r.Context().Err() == nil: // else whoever asked has gone
		s.options.Logger.Error().Err(err).Msg("web: error log")
	}
	s.pages.problem(w, r, p, http.StatusServiceUnavailable, key)
}

// search fills the page within a time, and reports whether there are older entries.
func (s *Server) search(r *http.Request, p person, view *errorsPage) (more bool, err error) {
	if view.Narrowed() { // else nothing is read but what is shown
		back, err := s.turns.take(p)
		if err != nil {
			return false, err
		}
		defer back()
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchTime)
	defer cancel()
	if p.operator() {
		if view.Tenants, err = s.options.ErrorLog.Tenants(ctx); err != nil {
			return false, err
		}
	}
	more, err = s.fill(ctx, view)
	if unfinished, ok := errors.AsType[*errorlog.Unfinished](err); ok && r.Context().Err() == nil {
		view.Back, err = unfinished.At, nil
	}
	return more, err
}

// fill reads the entries of one page, and whether there are older ones.
func (s *Server) fill(ctx context.Context, view *errorsPage) (more bool, err error) {
	filter, skip := view.filter, (view.Page-1)*pageEntries
	filter.Limit = skip + pageEntries + 1
	n := 0
	for entry, err := range s.options.ErrorLog.Query(ctx, filter) {
		if err != nil {
			return false, err
		}
		if n++; n > skip && len(view.Entries) < pageEntries {
			view.Entries = append(view.Entries, entry)
		}
	}
	return n == filter.Limit, nil
}

func (v errorsPage) pageLink(page int, until time.Time) string {
	return v.link("/errors", "page", strconv.Itoa(page), "until", strconv.FormatInt(until.UnixMilli(), 10))
}

// link repeats the question under path, with further parameters in pairs.
func (v errorsPage) link(path string, pairs ...string) string {
	values := maps.Clone(v.values)
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}

// Download is the link to the whole log in a format.
func (v errorsPage) Download(format string) string { return v.link("/errors/export", "format", format) }

// Value is a parameter as it was asked for.
func (v errorsPage) Value(key string) string { return v.values.Get(key) }

// Choices are the tenants to choose from, with the one that was asked for.
func (v errorsPage) Choices() []string {
	out := slices.Clone(v.Tenants)
	if !v.filter.AllTenants && !slices.Contains(out, v.filter.Tenant) {
		out = append(out, v.filter.Tenant)
	}
	return out
}

// JobLink is a link to everything that is known about one job.
func (v errorsPage) JobLink(id string) string {
	values := url.Values{"job": {id}}
	for _, key := range []string{"tenant", "lang"} {
		if value := v.values.Get(key); value != "" {
			values.Set(key, value)
		}
	}
	return "/errors?" + values.Encode()
}

// Narrowed reports whether less than the whole log is shown.
func (v errorsPage) Narrowed() bool {
	return v.filter.Category != "" || v.filter.JobID != "" || v.filter.Recipient != ""
}

// Filtered reports whether there is a choice to clear.
func (v errorsPage) Filtered() bool { return v.Narrowed() || v.values.Has("tenant") }
