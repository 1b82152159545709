package dashboard

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

//go:embed assets
var assets embed.FS

const (
	// root is where the dashboard is mounted, below the base path of all pages.
	root = "/queues"
	// maxListed bounds what one request may list.
	maxListed = 100
)

// Options of New. All but Logger and Now are required.
type Options struct {
	// OpenRedis makes a client that nobody else closes: asynqmon closes its own.
	OpenRedis func() (redis.UniversalClient, error)
	Redis     redis.UniversalClient
	Mails     Mails // what the buttons act through
	Audit     *audit.Log
	Holds     *system.Holds
	UI        *ui.UI
	Logger    zerolog.Logger
	Now       func() time.Time // nil: time.Now
}

// A Dashboard is asynqmon behind what it lacks: it has no login, no security headers,
// lists without bounds, shows every payload, and fetches fonts from elsewhere. It
// only reads: what its buttons ask for goes to acts.
type Dashboard struct {
	mon   *asynqmon.HTTPHandler
	front *front
	ui    *ui.UI
	acts  *acts
}

// New opens what asynqmon needs.
func New(o Options) (*Dashboard, error) {
	if o.OpenRedis == nil || o.Redis == nil || o.Mails == nil || o.Audit == nil || o.Holds == nil || o.UI == nil {
		return nil, errors.New("web: the dashboard needs Redis, the pages, the operators' history, and somebody who acts on mails and queues")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	words, err := o.UI.Set(nil, texts)
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
	d := &Dashboard{ui: o.UI, acts: newActs(o, words), mon: asynqmon.New(asynqmon.Options{
		RootPath: o.UI.URL(root), RedisConnOpt: &clients,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(summary),
		ResultFormatter:  asynqmon.ResultFormatterFunc(resultSize),
	})}
	if d.front, err = readFront(d.ask, words, o.UI); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Register serves the dashboard to operators.
func (d *Dashboard) Register(router ui.Router) {
	d.ui.AddArea(ui.Area{Key: "queues", Path: root + "/", Need: ui.Operator})
	router.Handle("GET "+root, ui.Anyone, func(w http.ResponseWriter, r *http.Request, _ signin.Person) {
		http.Redirect(w, r, d.ui.URL(root+"/"), http.StatusMovedPermanently)
	})
	router.Handle(root+"/", ui.Operator, d.serve)
	router.Handle("GET /assets/queues.css", ui.Anyone, ui.Asset(assets, "assets/queues.css"))
	router.Handle("GET /assets/queues.js", ui.Anyone, ui.Asset(assets, "assets/queues.js"))
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
func (d *Dashboard) Close() error { return d.mon.Close() }

// readable are the questions that asynqmon may be asked. What a newer one could
// answer besides is not found until somebody has looked at it; its metrics would ask
// a Prometheus that it does not have.
var readable = regexp.MustCompile(`^(?:queues|queue_stats|servers|scheduler_entries|redis_info` +
	`|queues/[^/]+|queues/[^/]+/(?:active|pending|scheduled|retry|archived|completed)_tasks|queues/[^/]+/tasks/.+` +
	`|queues/[^/]+/groups|queues/[^/]+/groups/[^/]+/aggregating_tasks|scheduler_entries/[^/]+/enqueue_events)$`)

// serve expects that the caller is an operator.
func (d *Dashboard) serve(w http.ResponseWriter, r *http.Request, p signin.Person) {
	w.Header().Set("Content-Security-Policy", d.front.policy)
	name, isAPI := strings.CutPrefix(r.URL.Path, root+"/api/")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case isAPI && reads:
		d.read(w, r, name)
	case isAPI && (r.Method == http.MethodPost || r.Method == http.MethodDelete):
		d.acts.serve(w, r, p, deedOf(r.Method, name))
	case reads:
		d.page(w, r, p)
	default:
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	}
}

// read passes a question on, and the answer back.
func (d *Dashboard) read(w http.ResponseWriter, r *http.Request, name string) {
	if !readable.MatchString(name) {
		http.NotFound(w, r)
		return
	}
	answer := d.ask(bounded(r))
	answer.body = *bytes.NewBuffer(masked(answer.body.Bytes()))
	if answer.Header().Get("Content-Type") == "" {
		answer.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	answer.send(w)
}

// page serves asynqmon's page and what belongs to it.
func (d *Dashboard) page(w http.ResponseWriter, r *http.Request, p signin.Person) {
	_, isStatic := strings.CutPrefix(r.URL.Path, root+"/static/")
	if isStatic && path.Ext(r.URL.Path) == ".map" {
		http.NotFound(w, r)
		return
	}
	answer := d.ask(r)
	if bytes.HasPrefix(answer.body.Bytes(), []byte("<!doctype html>")) { // also for paths that only its scripts know
		answer.body = *bytes.NewBuffer(d.front.index[d.ui.Language(r, p)])
		answer.Header().Set("Content-Type", "text/html; charset=utf-8")
		answer.Header().Set("Vary", "Accept-Language")
		answer.send(w)
		return
	}
	if script, changed := d.front.scripts[r.URL.Path]; changed {
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

// ask lets asynqmon answer into memory: its lists are bounded, its files small. It
// wants the path as the browser has it.
func (d *Dashboard) ask(r *http.Request) *answer {
	r = r.WithContext(r.Context()) // a copy
	at := *r.URL
	at.Path, at.RawPath = d.ui.URL(at.Path), ""
	r.URL = &at
	a := &answer{header: http.Header{}, status: http.StatusOK}
	d.mon.ServeHTTP(a, r)
	return a
}
