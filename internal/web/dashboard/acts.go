package dashboard

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

const (
	// actTime is how long an act may take; what it has not come to is told.
	actTime = 10 * time.Second
	// maxAll is how many tasks one click on "Run All" looks at: more than fit into
	// actTime.
	maxAll = 50_000
	// maxNamed is how many tasks a request may name; a page of asynqmon has 100.
	maxNamed = 1000
	maxBody  = 1 << 20
	// namedInLine is how many mails are looked up for the audit line.
	namedInLine = 5
)

// Mails acts on mails through the ledger, never on the tasks of asynq. A mail of
// another tenant is producer.ErrNotFound.
type Mails interface {
	Cancel(ctx context.Context, tenant, id string) error
	Retry(ctx context.Context, tenant, id string) error
	Reschedule(ctx context.Context, tenant, id string, at time.Time) error
}

// acts does what the buttons of asynqmon ask for, or says why not.
type acts struct {
	redis     redis.UniversalClient
	mails     Mails
	inspector *queue.Inspector
	audit     *audit.Log
	holds     *system.Holds
	ui        *ui.UI
	words     *ui.Set
	log       zerolog.Logger
	now       func() time.Time
}

func newActs(o Options, words *ui.Set) *acts {
	return &acts{
		redis: o.Redis, mails: o.Mails, inspector: queue.NewInspector(o.Redis),
		audit: o.Audit, holds: o.Holds, ui: o.UI, words: words, log: o.Logger, now: o.Now,
	}
}

// serve does a deed, and answers in the form that asynqmon's scripts expect, with a
// sentence for people beside it. A refusal is that sentence alone.
func (a *acts) serve(w http.ResponseWriter, r *http.Request, p signin.Person, d deed) {
	line := audit.Record{Who: cmp.Or(p.Name, "this machine"), Source: audit.Dashboard, Remote: hostOf(r.RemoteAddr), Action: d.action}
	if slices.Contains(queue.Names(), d.queue) {
		line.Queue = d.queue
	} else if d.refusal == "" {
		d.refusal = "act_unknown"
	}
	if d.refusal != "" {
		if err := a.audit.Refuse(r.Context(), line); err != nil {
			a.log.Error().Err(err).Str("user", line.Who).Str("act", string(d.action)).Msg("web: a refused act is not written down")
		}
		a.refuse(w, r, p, http.StatusForbidden, d.refusal)
		return
	}
	if d.action == audit.Pause || d.action == audit.Resume {
		a.hold(w, r, p, d, line)
		return
	}
	tasks, err := a.tasks(w, r, &d, &line)
	if err != nil {
		a.fail(w, r, p, err)
		return
	}
	a.do(w, r, p, d, line, tasks)
}

// tasks are those that a deed is about, by asynq's ids. It completes the line.
func (a *acts) tasks(w http.ResponseWriter, r *http.Request, d *deed, line *audit.Record) ([]string, error) {
	var tasks []string
	switch d.pick {
	case one:
		tasks = []string{d.task}
	case named:
		var body struct {
			TaskIDs []string `json:"task_ids"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&body); err != nil || len(body.TaskIDs) > maxNamed {
			return nil, errBadBody
		}
		tasks = body.TaskIDs
	default:
		size, ids, err := a.tab(r.Context(), d.queue, d.state)
		if err != nil {
			return nil, err
		}
		line.Of, tasks = size, ids
	}
	line.Of = max(line.Of, len(tasks))
	for _, id := range tasks[:min(len(tasks), namedInLine)] {
		t, err := a.find(d.queue, id)
		switch {
		case err == nil && t.job != nil:
			line.Mails = append(line.Mails, audit.Mail{Tenant: t.job.Tenant, ID: t.job.ID})
		case err == nil && d.pick == one && d.action == audit.Cancel:
			line.Action = audit.Delete
			fallthrough
		default:
			line.Mails = append(line.Mails, audit.Mail{ID: id})
		}
	}
	return tasks, nil
}

// errEnough ends a scan.
var errEnough = errors.New("enough")

// tab is how many tasks a tab has, and the ids of as many as can be dealt with.
func (a *acts) tab(ctx context.Context, name, state string) (int, []string, error) {
	in := queue.State(state)
	size, err := queue.Size(ctx, a.redis, name, in)
	if err != nil {
		return 0, nil, err
	}
	var ids []string
	err = queue.Scan(ctx, a.redis, name, in, func(page []string) error {
		if ids = append(ids, page...); len(ids) >= maxAll {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, nil, err
	}
	slices.Sort(ids) // a scan may answer with an id twice
	return size, slices.Compact(ids), nil
}

// do does a deed to each task, as long as there is time. Whether the browser waits
// for the answer is no matter: an act that has begun is written down.
func (a *acts) do(w http.ResponseWriter, r *http.Request, p signin.Person, d deed, line audit.Record, tasks []string) {
	ctx := context.WithoutCancel(r.Context())
	entry, ok := a.begin(w, r, p, line)
	if !ok {
		return
	}
	end := time.Now().Add(actTime)
	done, undone := []string{}, []string{} // never null in the answer
	var first error
	for _, id := range tasks {
		err := errNoTime
		if time.Now().Before(end) {
			err = a.act(ctx, d, id)
		}
		if err == nil {
			done = append(done, id)
			continue
		}
		first = cmp.Or(first, err)
		undone = append(undone, id)
	}
	a.done(ctx, entry, line, len(done))
	if d.pick == one && first != nil {
		a.fail(w, r, p, first)
		return
	}
	said := a.words.Say(r, p, "did_"+string(line.Action), len(done), line.Of)
	if first != nil {
		said += " " + a.words.Say(r, p, "did_not") + " " + a.words.Say(r, p, a.reason(first))
	}
	answer := map[string]any{"said": said, "scheduled": len(done)}
	if d.pick == named {
		answer[d.answer[0]], answer[d.answer[1]] = done, undone
	}
	writeJSON(w, http.StatusOK, answer)
}

// hold pauses or resumes a queue.
func (a *acts) hold(w http.ResponseWriter, r *http.Request, p signin.Person, d deed, line audit.Record) {
	err := a.holds.Set(r.Context(), line, d.queue, d.action == audit.Pause)
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, map[string]string{"said": a.words.Say(r, p, "did_"+string(d.action), d.queue)})
	case errors.Is(err, system.ErrUnwritten):
		a.unwritten(w, r, p, line, err)
	default:
		a.fail(w, r, p, err)
	}
}

// begin writes the line of an act. Without a line nothing is done.
func (a *acts) begin(w http.ResponseWriter, r *http.Request, p signin.Person, line audit.Record) (*audit.Entry, bool) {
	entry, err := a.audit.Begin(r.Context(), line)
	if err != nil {
		a.unwritten(w, r, p, line, err)
	}
	return entry, err == nil
}

func (a *acts) unwritten(w http.ResponseWriter, r *http.Request, p signin.Person, line audit.Record, err error) {
	a.log.Error().Err(err).Str("user", line.Who).Str("act", string(line.Action)).Msg("web: an act is refused, since it cannot be written down")
	a.refuse(w, r, p, http.StatusServiceUnavailable, "act_unwritten")
}

func (a *acts) done(ctx context.Context, entry *audit.Entry, line audit.Record, count int) {
	if err := entry.Done(ctx, count); err != nil {
		a.log.Error().Err(err).Str("user", line.Who).Str("act", string(line.Action)).Int("count", count).Msg("web: the outcome of an act is not written down")
	}
}

// fail answers with why a deed was not done.
func (a *acts) fail(w http.ResponseWriter, r *http.Request, p signin.Person, err error) {
	key := a.reason(err)
	status := http.StatusConflict
	switch key {
	case "act_failed":
		status = http.StatusServiceUnavailable
	case "act_body":
		status = http.StatusBadRequest
	}
	a.refuse(w, r, p, status, key)
}

func (a *acts) refuse(w http.ResponseWriter, r *http.Request, p signin.Person, status int, key string) {
	http.Error(w, a.words.Say(r, p, key), status)
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return ""
	}
	return host
}

func writeJSON(w http.ResponseWriter, status int, result any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // whoever asked has gone
}
