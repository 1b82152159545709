package systempages

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/presence"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
)

// overview is what the start of the area shows.
type overview struct {
	Done      string // what was just done to Queue: paused, resumed
	DoneQueue string
	Workers   part[workers]
	Queues    part[[]queueLine]
	States    []string // of tasks, the columns of Queues
	Backlogs  part[backlogs]
	Counting  bool // Backlogs come with the next look
	Memory    part[memory]
	Findings  part[[]redisconn.Finding]
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request, who signin.Person) {
	ctx, cancel := context.WithTimeout(r.Context(), redisTimeout)
	defer cancel()
	p.options.Backlogs.Begin()
	o := overview{States: states(), Done: r.FormValue("done"), DoneQueue: r.FormValue("queue")}
	if !slices.Contains([]string{"paused", "resumed"}, o.Done) || !slices.Contains(queue.Names(), o.DoneQueue) {
		o.Done = ""
	}
	var parts sync.WaitGroup
	parts.Go(func() { read(ctx, p, "workers", &o.Workers, p.workers) })
	parts.Go(func() { read(ctx, p, "queues", &o.Queues, p.queues) })
	parts.Go(func() { read(ctx, p, "memory", &o.Memory, p.headroom) })
	parts.Go(func() { read(ctx, p, "redis", &o.Findings, p.findings) })
	parts.Wait()
	read(ctx, p, "backlogs", &o.Backlogs, func(ctx context.Context) (backlogs, error) {
		count, err := p.options.Backlogs.Read(ctx)
		if errors.Is(err, system.ErrCounting) {
			o.Counting, err = true, nil
		}
		return backlogs{count}, err
	})
	p.show(w, r, who, http.StatusOK, "overview", "overview", o)
}

// workers are the worker processes.
type workers struct {
	List  []presence.Process
	Alive int
	Slots int // of those alive
}

func (p *Pages) workers(ctx context.Context) (workers, error) {
	list, err := presence.List(ctx, p.options.Redis)
	w := workers{List: list}
	for _, process := range list {
		if process.Alive() {
			w.Alive++
			w.Slots += process.Slots
		}
	}
	return w, err
}

// A queueLine is a queue in the table.
type queueLine struct {
	queue.Info
	By string // who has paused it; empty: nobody, or not known
}

// Act is what the button of the queue does.
func (q queueLine) Act() string {
	if q.Paused {
		return "resume"
	}
	return "pause"
}

// states are those of tasks that operators are told of: nothing is kept as completed.
func states() []string {
	var out []string
	for _, state := range queue.States() {
		if state != queue.Completed {
			out = append(out, string(state))
		}
	}
	return out
}

// Count is how many tasks of the queue are in a state.
func (q queueLine) Count(state string) int { return q.Tasks[queue.State(state)] }

func (p *Pages) queues(ctx context.Context) ([]queueLine, error) {
	list, err := p.inspector.Queues(ctx)
	lines := make([]queueLine, len(list))
	for i, info := range list {
		lines[i].Info = info
		if info.Paused {
			lines[i].By = p.options.Holds.By(ctx, info.Queue, info.Since)
		}
	}
	return lines, err
}

// backlogs are what waits for accounts.
type backlogs struct{ system.Count }

// Lines are the longest backlogs, with where their accounts are shown.
func (b backlogs) Lines() []backlogLine {
	lines := make([]backlogLine, len(b.Longest))
	for i, l := range b.Longest {
		lines[i].Backlog = l
		place, err := resolver.ParsePlace(l.Account)
		switch {
		case err != nil: // an application's own name for it
		case place.User != "":
			lines[i].Path = ui.TenantPath(place.Tenant, "/accounts/user/"+url.PathEscape(place.User))
		case place.Tenant != "":
			lines[i].Path = ui.TenantPath(place.Tenant, "/accounts/tenant")
		default:
			lines[i].Path = "/system/account"
		}
	}
	return lines
}

// A backlogLine is a backlog in the table. Path is empty for an account that has no page.
type backlogLine struct {
	system.Backlog
	Path string
}

// memory is how full Redis is.
type memory struct {
	headroom.Reading
	Verdict string // good, warn, full, unlimited or untold
	Percent int
}

func (p *Pages) headroom(ctx context.Context) (memory, error) {
	reading, err := p.memory.Read(ctx)
	m := memory{Reading: reading, Verdict: "good", Percent: int(100 * reading.Ratio())}
	switch ratio := reading.Ratio(); {
	case errors.Is(err, headroom.ErrUntold):
		m.Verdict, err = "untold", nil
	case reading.Max == 0:
		m.Verdict = "unlimited"
	case ratio >= headroom.RefuseAt:
		m.Verdict = "full"
	case ratio >= headroom.WarnAt:
		m.Verdict = "warn"
	}
	return m, err
}

func (p *Pages) findings(ctx context.Context) ([]redisconn.Finding, error) {
	return redisconn.Examine(ctx, p.options.Redis)
}
