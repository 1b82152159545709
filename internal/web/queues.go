package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
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
// lists without bounds, shows every payload, and fetches fonts from elsewhere.
type queues struct {
	mon    *asynqmon.HTTPHandler
	index  []byte // its page, without what comes from elsewhere
	policy string // Content-Security-Policy for that page
}

func newQueues(open func() (redis.UniversalClient, error)) (*queues, error) {
	// It opens two, and closes both.
	var clients clients
	for range 2 {
		client, err := open()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("web: %w", err), clients.Close())
		}
		clients.list = append(clients.list, client)
	}
	q := &queues{mon: asynqmon.New(asynqmon.Options{
		RootPath: queuesRoot, RedisConnOpt: &clients,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(summary),
		ResultFormatter:  asynqmon.ResultFormatterFunc(resultSize),
	})}
	if err := q.readIndex(); err != nil {
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

var (
	// outsideLink finds the links to fonts elsewhere, and to the manifest, which
	// browsers fetch without the login.
	outsideLink  = regexp.MustCompile(`<link[^>]*(?:href="https?://|rel="manifest")[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

// readIndex takes asynqmon's page and works out which scripts it may run.
func (q *queues) readIndex() error {
	page := q.ask(&http.Request{Method: http.MethodGet, URL: rootURL()})
	q.index = outsideLink.ReplaceAll(page.body.Bytes(), nil)
	policy := strings.Builder{}
	policy.WriteString("default-src 'none'; script-src 'self'")
	scripts := inlineScript.FindAllSubmatch(q.index, -1)
	for _, script := range scripts {
		sum := sha256.Sum256(script[1])
		policy.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	policy.WriteString("; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	q.policy = policy.String()
	if len(scripts) != 2 || bytes.Contains(q.index, []byte("https://")) {
		return errors.New("web: the page of this asynqmon is not the one that is known")
	}
	return nil
}

// ServeHTTP expects that the caller is an operator.
func (q *queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", q.policy)
	name, isAPI := strings.CutPrefix(r.URL.Path, queuesRoot+"/api/")
	_, isStatic := strings.CutPrefix(r.URL.Path, queuesRoot+"/static/")
	switch {
	case isAPI && name == "metrics", // it would ask a Prometheus that it does not have
		isStatic && path.Ext(r.URL.Path) == ".map":
		http.NotFound(w, r)
		return
	case isAPI:
		r = bounded(r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	answer := q.ask(r)
	switch {
	case isAPI:
		answer.body = *bytes.NewBuffer(masked(answer.body.Bytes()))
		if answer.Header().Get("Content-Type") == "" {
			answer.Header().Set("Content-Type", "application/json; charset=utf-8")
		}
	case bytes.HasPrefix(answer.body.Bytes(), []byte("<!doctype html>")): // also for paths that only its scripts know
		answer.body = *bytes.NewBuffer(q.index)
		answer.Header().Set("Content-Type", "text/html; charset=utf-8")
	default:
		if byName := mime.TypeByExtension(path.Ext(r.URL.Path)); byName != "" {
			answer.Header().Set("Content-Type", byName)
		}
		if isStatic { // its names hold a hash of the content
			answer.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
		}
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
