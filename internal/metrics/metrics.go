package metrics

import (
	"context"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const namespace = "rohrpost"

// Queues tells how the queues stand; *queue.Inspector does.
type Queues interface {
	Queues(context.Context) ([]queue.Info, error)
}

// ErrorLog tells how many entries each tenant has; *errorlog.Log does.
type ErrorLog interface {
	Size(context.Context) (map[string]int64, error)
}

// Memory tells how full Redis is; *headroom.Gauge does.
type Memory interface {
	Read(context.Context) (headroom.Reading, error)
}

// Options of New. The zero value counts events only.
type Options struct {
	Version string // of the program, for rohrpost_build_info
	Queues  Queues // nil: no queue sizes
	// ErrorLog is asked for its size. Nil: not shown.
	ErrorLog ErrorLog
	// Memory tells which part of its maxmemory Redis uses. Nil: not shown.
	Memory Memory
	Now    func() time.Time
}

// Metrics is safe for use by many goroutines.
type Metrics struct {
	registry  *prometheus.Registry
	attempts  *prometheus.CounterVec
	accepted  *prometheus.CounterVec
	deferred  *prometheus.CounterVec
	failed    *prometheus.CounterVec
	uncertain *prometheus.CounterVec
	waits     *prometheus.CounterVec
	latency   *prometheus.HistogramVec
}

// New makes the collectors. It does not ask Redis.
func New(o Options) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		attempts:  counter("attempts_total", "Attempts to hand a mail over.", "level"),
		accepted:  counter("mails_accepted_total", "Mails that the next server took for every recipient that was left.", "level"),
		deferred:  counter("mails_deferred_total", "Attempts after which a mail waits for the next one.", "category", "level"),
		failed:    counter("mails_failed_total", "Mails that failed for good for at least one recipient.", "category", "level"),
		uncertain: counter("mails_uncertain_total", "Attempts of which nobody knows whether the server took the mail.", "level"),
		waits:     counter("mails_waiting_total", "Times that a mail had to wait for its account before anything was tried.", "reason", "level"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "accept_latency_seconds",
			Help:    "From enqueuing a mail, or from its not_before, until the next server took it.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400},
		}, []string{"level"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(
		m.attempts, m.accepted, m.deferred, m.failed, m.uncertain, m.waits, m.latency, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	if o.Queues != nil || o.ErrorLog != nil || o.Memory != nil {
		m.registry.MustRegister(newStore(o))
	}
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// Attempt counts an attempt through an account of that level.
func (m *Metrics) Attempt(level string) { m.attempts.WithLabelValues(knownLevel(level)).Inc() }

// Accepted counts a mail that was taken, latency after it was due.
func (m *Metrics) Accepted(level string, latency time.Duration) {
	level = knownLevel(level)
	m.accepted.WithLabelValues(level).Inc()
	m.latency.WithLabelValues(level).Observe(latency.Seconds())
}

// Deferred counts an attempt after which the mail waits.
func (m *Metrics) Deferred(category, level string) {
	m.deferred.WithLabelValues(knownCategory(category), knownLevel(level)).Inc()
}

// Failed counts a mail that has failed for good.
func (m *Metrics) Failed(category, level string) {
	m.failed.WithLabelValues(knownCategory(category), knownLevel(level)).Inc()
}

// Uncertain counts an attempt of which nobody knows the end.
func (m *Metrics) Uncertain(level string) { m.uncertain.WithLabelValues(knownLevel(level)).Inc() }

// Waits counts a mail that has to wait for its account: busy, rate, slow, down or
// parked.
func (m *Metrics) Waits(reason, level string) {
	m.waits.WithLabelValues(reason, knownLevel(level)).Inc()
}

// Worker shows how many mails the worker can have in its hands, and how many it has.
// Call it once.
func (m *Metrics) Worker(slots int, inFlight func() int) {
	m.gauge("worker_slots", "Mails that the worker can have in its hands.", nil, func() int { return slots })
	m.gauge("worker_in_flight", "Mails that the worker has in its hands.", nil, inFlight)
}

// Connections shows the connections to mail servers: those that carry a mail
// and those kept open. Call it once.
func (m *Metrics) Connections(busy, idle func() int) {
	const help = "Connections to mail servers."
	m.gauge("connections", help, prometheus.Labels{"state": "busy"}, busy)
	m.gauge("connections", help, prometheus.Labels{"state": "idle"}, idle)
}

func (m *Metrics) gauge(name, help string, labels prometheus.Labels, value func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(value()) }))
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// other takes what is not from the closed sets, an address by mistake.
const other = "other"

func knownLevel(level string) string {
	switch {
	case level == "":
		return "none" // no account was found
	case slices.Contains([]string{"platform", "tenant", "user"}, level):
		return level
	}
	return other
}

var categoryName = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

func knownCategory(category string) string {
	if !categoryName.MatchString(category) {
		return other
	}
	return category
}
