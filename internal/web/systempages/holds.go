package systempages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// hold pauses a queue, or resumes it.
func (p *Pages) hold(w http.ResponseWriter, r *http.Request, who signin.Person) {
	name := r.PathValue("queue")
	done := map[string]string{"pause": "paused", "resume": "resumed"}[r.PathValue("act")]
	if done == "" {
		p.options.UI.Problem(w, r, who, http.StatusNotFound, "not_found")
		return
	}
	err := p.options.Holds.Set(r.Context(), actor(r, who), name, done == "paused")
	switch {
	case err == nil:
		p.options.UI.Redirect(w, r, "/system?"+url.Values{"done": {done}, "queue": {name}}.Encode())
	case errors.Is(err, system.ErrNoQueue):
		p.options.UI.Problem(w, r, who, http.StatusNotFound, "not_found")
	default:
		p.options.Logger.Error().Err(err).Str("user", who.Name).Str("queue", name).Msg("web: a queue is neither paused nor resumed")
		p.fail(w, r, who, http.StatusServiceUnavailable, "overview", failureKey(err))
	}
}

// failureKey is the key of the text that says why an act was not done.
func failureKey(err error) string {
	if errors.Is(err, system.ErrUnwritten) {
		return "fail_unwritten"
	}
	return "fail_redis"
}
