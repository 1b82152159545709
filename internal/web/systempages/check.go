package systempages

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// check shows the latest check.
func (p *Pages) check(w http.ResponseWriter, r *http.Request, who signin.Person) {
	p.last(w, r, who, "check")
}

// question asks whether to repair.
func (p *Pages) question(w http.ResponseWriter, r *http.Request, who signin.Person) {
	p.last(w, r, who, "repair")
}

// last shows a page about the latest check.
func (p *Pages) last(w http.ResponseWriter, r *http.Request, who signin.Person, name string) {
	ctx, cancel := context.WithTimeout(r.Context(), redisTimeout)
	defer cancel()
	var last part[*checkShown]
	read(ctx, p, "check", &last, func(ctx context.Context) (*checkShown, error) {
		c, err := p.options.Checks.Last(ctx)
		if c == nil {
			return nil, err
		}
		return &checkShown{c}, err
	})
	p.show(w, r, who, http.StatusOK, name, "check", last)
}

// checkShown is a check on a page.
type checkShown struct{ *system.Check }

// Lines are the findings that are kept.
func (c checkShown) Lines() []findingLine {
	lines := make([]findingLine, len(c.Findings))
	for i, f := range c.Findings {
		lines[i] = findingLine{f, mailPath(f.Tenant, f.JobID)}
	}
	return lines
}

// A findingLine is a finding, with where its mail is shown.
type findingLine struct {
	system.Finding
	MailPath string
}

// mailPath is the page of a mail.
func mailPath(tenant, id string) string { return ui.TenantPath(tenant, "/mails/"+url.PathEscape(id)) }

// start begins a check.
func (p *Pages) start(repair bool) ui.Handler {
	return func(w http.ResponseWriter, r *http.Request, who signin.Person) {
		err := p.options.Checks.Start(r.Context(), actor(r, who), repair)
		switch {
		case err == nil:
			p.options.UI.Redirect(w, r, "/system/check")
		case errors.Is(err, system.ErrRunning):
			p.fail(w, r, who, http.StatusConflict, "check", "fail_running")
		case redis.HasErrorPrefix(err, "NOPERM"):
			p.fail(w, r, who, http.StatusServiceUnavailable, "check", "fail_rights")
		default:
			p.options.Logger.Error().Err(err).Str("user", who.Name).Msg("web: a check of the queues does not begin")
			p.fail(w, r, who, http.StatusServiceUnavailable, "check", failureKey(err))
		}
	}
}
