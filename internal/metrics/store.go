package metrics

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// fresh is how long what Redis said is shown again.
	fresh = time.Second
	// sizeTimeout bounds each question to Redis.
	sizeTimeout = 2 * time.Second
)

// A store collects what is kept in Redis.
type store struct {
	options    Options
	up         *prometheus.Desc
	tasks      *prometheus.Desc
	oldest     *prometheus.Desc
	paused     *prometheus.Desc
	logEntries *prometheus.Desc
	memory     *prometheus.Desc

	mu    sync.Mutex
	read  time.Time
	cache []prometheus.Metric
}

func newStore(o Options) *store {
	if o.Now == nil {
		o.Now = time.Now
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &store{
		options:    o,
		up:         desc("redis_up", "1 when Redis answered, else 0."),
		tasks:      desc("queue_tasks", "Mails in a queue, by asynq's states.", "queue", "state"),
		oldest:     desc("queue_oldest_pending_seconds", "How long the next mail of a queue has waited.", "queue"),
		paused:     desc("queue_paused", "1 when somebody has paused the queue: workers take nothing from it. Else 0.", "queue"),
		logEntries: desc("errorlog_entries", "Entries in the error log of all tenants."),
		memory:     desc("redis_memory_used_ratio", "The part of maxmemory that Redis uses, of a Cluster the fullest master; 0 without a limit. Above 0.9 producers are refused."),
	}
}

// Describe is the interface of Prometheus.
func (s *store) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.up, s.tasks, s.oldest, s.paused, s.logEntries, s.memory} {
		out <- d
	}
}

// Collect is the interface of Prometheus.
func (s *store) Collect(out chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.options.Now(); s.cache == nil || now.Sub(s.read) >= fresh {
		s.cache, s.read = s.ask(), now
	}
	for _, metric := range s.cache {
		out <- metric
	}
}

// ask leaves out what Redis did not tell, and then says that Redis is not up.
func (s *store) ask() []prometheus.Metric {
	queues, queueErr := s.askQueues()
	entries, entryErr := s.askErrorLog()
	up := number(cmp.Or(queueErr, entryErr) == nil)
	return slices.Concat(queues, entries, s.askMemory(), []prometheus.Metric{gauge(s.up, up)})
}

// askMemory is silent where Redis does not tell.
func (s *store) askMemory() []prometheus.Metric {
	if s.options.Memory == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sizeTimeout)
	defer cancel()
	reading, err := s.options.Memory.Read(ctx)
	if err != nil {
		return nil
	}
	return []prometheus.Metric{gauge(s.memory, reading.Ratio())}
}

func (s *store) askQueues() ([]prometheus.Metric, error) {
	if s.options.Queues == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sizeTimeout)
	defer cancel()
	queues, err := s.options.Queues.Queues(ctx)
	if err != nil {
		return nil, err
	}
	var out []prometheus.Metric
	for _, q := range queues {
		for _, state := range queue.States() {
			out = append(out, gauge(s.tasks, float64(q.Tasks[state]), q.Queue, string(state)))
		}
		out = append(out, gauge(s.oldest, q.Oldest.Seconds(), q.Queue), gauge(s.paused, number(q.Paused), q.Queue))
	}
	return out, nil
}

func (s *store) askErrorLog() ([]prometheus.Metric, error) {
	if s.options.ErrorLog == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sizeTimeout)
	defer cancel()
	sizes, err := s.options.ErrorLog.Size(ctx)
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, n := range sizes {
		total += n
	}
	return []prometheus.Metric{gauge(s.logEntries, float64(total))}, nil
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
