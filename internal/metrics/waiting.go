package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
)

// Backlogs tells how the backlogs stand; *backlog.Store does.
type Backlogs interface {
	Stats(context.Context, func(backlog.Stat)) error
}

// waitingFresh is how long what Redis said of backlogs is shown again: there may be
// thousands of them.
const waitingFresh = 10 * time.Second

// Waiting shows the mails that wait for their accounts, and what they wait for. states
// are those that the process knows. Call it once.
func (m *Metrics) Waiting(b Backlogs, states func() []*breaker.State) {
	desc := func(name, help, label string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, []string{label}, nil)
	}
	m.registry.MustRegister(&waiting{
		backlogs: b, states: states,
		mails:    desc("backlog_mails", "Mails that wait for their account, by the reason.", "reason"),
		oldest:   desc("backlog_oldest_seconds", "For how long the oldest mail of all backlogs has waited, by the reason.", "reason"),
		accounts: desc("accounts", "Accounts whose mails wait: parked until somebody mends the settings, slow because the server asked for a pause, or with mails that wait for settings.", "state"),
		servers:  desc("servers", "Mail servers that cannot be reached.", "state"),
	})
}

type waiting struct {
	backlogs                         Backlogs
	states                           func() []*breaker.State
	mails, oldest, accounts, servers *prometheus.Desc

	mu    sync.Mutex
	read  time.Time
	cache []prometheus.Metric
}

// Describe is the interface of Prometheus.
func (w *waiting) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{w.mails, w.oldest, w.accounts, w.servers} {
		out <- d
	}
}

// Collect is the interface of Prometheus. What Redis did not tell is left out.
func (w *waiting) Collect(out chan<- prometheus.Metric) {
	states := w.states()
	count := map[breaker.Kind]int{}
	for _, s := range states {
		count[s.Kind]++
	}
	for _, kind := range []breaker.Kind{breaker.Parked, breaker.Slow, breaker.Settings} {
		out <- gauge(w.accounts, float64(count[kind]), string(kind))
	}
	out <- gauge(w.servers, float64(count[breaker.Down]), string(breaker.Down))
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.cache == nil || now.Sub(w.read) >= waitingFresh {
		w.cache, w.read = w.ask(dispatch.Kinds(states)), now
	}
	for _, metric := range w.cache {
		out <- metric
	}
}

func (w *waiting) ask(kinds map[string]breaker.Kind) []prometheus.Metric {
	ctx, cancel := context.WithTimeout(context.Background(), sizeTimeout)
	defer cancel()
	mails, oldest := map[dispatch.Reason]int64{}, map[dispatch.Reason]float64{}
	err := w.backlogs.Stats(ctx, func(s backlog.Stat) {
		reason := dispatch.ReasonNow(s.Reason, kinds[s.Account])
		mails[reason] += s.Mails
		oldest[reason] = max(oldest[reason], time.Since(s.Oldest).Seconds())
	})
	if err != nil {
		return nil
	}
	var out []prometheus.Metric
	for _, reason := range dispatch.Reasons() {
		out = append(out, gauge(w.mails, float64(mails[reason]), string(reason)), gauge(w.oldest, oldest[reason], string(reason)))
	}
	return out
}
