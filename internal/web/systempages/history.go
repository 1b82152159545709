package systempages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// pageActs is how many acts a page of the history has.
const pageActs = 50

// history is what the page of the operators' history shows.
type history struct {
	Who     string
	Action  audit.Action
	Actions []audit.Action
	Before  string
	Page    part[audit.Page]
}

// history shows what operators have done.
func (p *Pages) history(w http.ResponseWriter, r *http.Request, who signin.Person) {
	ctx, cancel := context.WithTimeout(r.Context(), redisTimeout)
	defer cancel()
	h := history{
		Who: strings.TrimSpace(r.FormValue("who")), Action: audit.Action(r.FormValue("act")), Actions: audit.Actions(), Before: r.FormValue("before"),
	}
	if !slices.Contains(h.Actions, h.Action) {
		h.Action = ""
	}
	read(ctx, p, "history", &h.Page, func(ctx context.Context) (audit.Page, error) {
		return p.options.Audit.Page(ctx, audit.Query{Who: h.Who, Action: h.Action, Before: h.Before, Limit: pageActs})
	})
	p.show(w, r, who, http.StatusOK, "history", "history", h)
}

// Filtered reports whether less than all is shown.
func (h history) Filtered() bool { return h.Who != "" || h.Action != "" }

// Latest is the path of the first page with this filter, and Older that of the next.
func (h history) Latest() string { return h.path("") }

// Older is the path of the next page; empty: there is none.
func (h history) Older() string {
	if h.Page.Value.Next == "" {
		return ""
	}
	return h.path(h.Page.Value.Next)
}

func (h history) path(before string) string {
	values := url.Values{}
	for key, value := range map[string]string{"who": h.Who, "act": string(h.Action), "before": before} {
		if value != "" {
			values.Set(key, value)
		}
	}
	if len(values) == 0 {
		return "/system/history"
	}
	return "/system/history?" + values.Encode()
}

// Lines are the acts of the page.
func (h history) Lines() []actLine {
	lines := make([]actLine, len(h.Page.Value.Records))
	for i, r := range h.Page.Value.Records {
		lines[i] = actLine{r}
	}
	return lines
}

// An actLine is an act in the table.
type actLine struct{ audit.Record }

// A namedMail is a mail of an act. Path is empty where the line does not say whose it is.
type namedMail struct {
	audit.Mail
	Path string
}

// Named are the mails that the line names.
func (a actLine) Named() []namedMail {
	mails := make([]namedMail, len(a.Mails))
	for i, m := range a.Mails {
		mails[i].Mail = m
		if m.Tenant != "" {
			mails[i].Path = mailPath(m.Tenant, m.ID)
		}
	}
	return mails
}

// More is how many mails there are besides those that are named.
func (a actLine) More() int {
	if len(a.Mails) == 0 {
		return 0
	}
	return max(0, a.Of-len(a.Mails))
}
