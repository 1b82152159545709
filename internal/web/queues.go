package web

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

const (
	queuesRoot = "/queues"
	// maxListed bounds what one request may list.
	maxListed = 100
)

// queues is asynqmon behind what it lacks: it has no login, no security headers,
// lists without bounds, shows every payload, and fetches fonts from elsewhere. It
// only reads: what its buttons ask for goes to acts.
type queues struct {
	mon   *asynqmon.HTTPHandler
	front *front
	pages *pages
	acts  *acts
}

func newQueues(o Options, pages *pages) (*queues, error) {
	acts, err := newActs(o, pages)
	if err != nil {
		return nil, err
	}
	// It opens two, and closes both.
	var clients clients
	for range 2 {
		client, err := o.OpenRedis()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("web: %w", err), clients.Close())
		}
		clients.list = append(clients.list, client)
	}
	q := &queues{pages: pages, acts: acts, mon: asynqmon.New(asynqmon.Options{
		RootPath: queuesRoot, RedisConnOpt: &clients,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(summary),
		ResultFormatter:  asynqmon.ResultFormatterFunc(resultSize),
	})}
	if q.front, err = readFront(q.ask, pages.languages); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// clients hands out clients that were opened before, each once.
type clients struct {
	list []redis.UniversalClient
	next int
}

// MakeRedisClient is the interface of asynq.
func (c *clients) MakeRedisClient() any {
	client := c.list[c.next]
	c.next++
	return client
}

// Close closes those that nobody asked for.
func (c *clients) Close() error {
	var errs []error
	for _, client := range c.list[c.next:] {
		errs = append(errs, client.Close())
	}
	return errors.Join(errs...)
}

// Close ends the connections to Redis.
func (q *queues) Close() error { return q.mon.Close() }

// readable are the questions that asynqmon may be asked. What a newer one could
// answer besides is not found until somebody has looked at it; its metrics would ask
// a Prometheus that it does not have.
var readable = regexp.MustCompile(`^(?:queues|queue_stats|servers|scheduler_entries|redis_info` +
	`|queues/[^/]+|queues/[^/]+/(?:active|pending|scheduled|retry|archived|completed)_tasks|queues/[^/]+/tasks/.+` +
	`|queues/[^/]+/groups|queues/[^/]+/groups/[^/]+/aggregating_tasks|scheduler_entries/[^/]+/enqueue_events)$`)

// ServeHTTP expects that the caller is an operator.
func (q *queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", q.front.policy)
	name, isAPI := strings.CutPrefix(r.URL.Path, queuesRoot+"/api/")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case isAPI && reads:
		q.read(w, r, name)
	case isAPI && (r.Method == http.MethodPost || r.Method == http.MethodDelete):
		q.acts.serve(w, r, deedOf(r.Method, name))
	case reads:
		q.page(w, r)
	default:
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

// read passes a question on, and the answer back.
func (q *queues) read(w http.ResponseWriter, r *http.Request, name string) {
	if !readable.MatchString(name) {
		http.NotFound(w, r)
		return
	}
	answer := q.ask(bounded(r))
	answer.body = *bytes.NewBuffer(masked(answer.body.Bytes()))
	if answer.Header().Get("Content-Type") == "" {
		answer.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	answer.send(w)
}

// page serves asynqmon's page and what belongs to it.
func (q *queues) page(w http.ResponseWriter, r *http.Request) {
	_, isStatic := strings.CutPrefix(r.URL.Path, queuesRoot+"/static/")
	if isStatic && path.Ext(r.URL.Path) == ".map" {
		http.NotFound(w, r)
		return
	}
	answer := q.ask(r)
	if bytes.HasPrefix(answer.body.Bytes(), []byte("<!doctype html>")) { // also for paths that only its scripts know
		answer.body = *bytes.NewBuffer(q.front.index[q.pages.language(r)])
		answer.Header().Set("Content-Type", "text/html; charset=utf-8")
		answer.Header().Set("Vary", "Accept-Language")
		answer.send(w)
		return
	}
	if script, changed := q.front.scripts[r.URL.Path]; changed {
		answer.body = *bytes.NewBuffer(script)
	}
	if byName := mime.TypeByExtension(path.Ext(r.URL.Path)); byName != "" {
		answer.Header().Set("Content-Type", byName)
	}
	if isStatic { // its names hold a hash of the content
		answer.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	answer.send(w)
}

// bounded is r with a page size that does no harm.
func bounded(r *http.Request) *http.Request {
	query := r.URL.Query()
	for key, most := range map[string]int{"size": maxListed, "page": 1_000_000} {
		if !query.Has(key) {
			continue
		}
		n, err := strconv.Atoi(query.Get(key))
		if err != nil {
			n = 1
		}
		query.Set(key, strconv.Itoa(min(max(n, 1), most)))
	}
	r = r.Clone(r.Context())
	r.URL.RawQuery = query.Encode()
	return r
}

// ask lets asynqmon answer into memory: its lists are bounded, its files small.
func (q *queues) ask(r *http.Request) *answer {
	a := &answer{header: http.Header{}, status: http.StatusOK}
	q.mon.ServeHTTP(a, r)
	return a
}
