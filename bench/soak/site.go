package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/private"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// kept is for how long anything is remembered of a mail: less than the warm-up, so
// that Redis forgets as much as it learns when that is over.
const kept = time.Minute

// A site is an installation with one worker, and a Redis of its own.
type site struct {
	settings    settings
	folder      string
	server      *private.Server
	redis       redis.UniversalClient
	mail        *producer.Client
	book        *redisstore.Store
	ports       map[fault]int
	generations []int // by account
	sink        *helper
	worker      *helper
	metrics     string // URL
	profiles    string // URL
}

// newSite starts everything, and stores the accounts.
func newSite(ctx context.Context, o settings) (s *site, err error) {
	redisconn.LogTo(zerolog.Nop())
	s = &site{settings: o, ports: map[fault]int{}, generations: make([]int, o.accounts)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp("", "soak-"); err != nil {
		return s, err
	}
	if s.server, err = private.Start(ctx, private.Options{Dir: filepath.Join(s.folder, "redis")}); err != nil {
		return s, err
	}
	if s.redis, err = redisconn.Open(redisconn.Options{URL: s.server.URL()}); err != nil {
		return s, err
	}
	identity, recipient, err := seal.Generate()
	if err != nil {
		return s, err
	}
	if s.book, err = redisstore.New(redisstore.Options{Redis: s.redis, Recipients: []string{recipient}}); err != nil {
		return s, err
	}
	if s.mail, err = producer.New(s.redis, producer.Options{Keep: kept}); err != nil {
		return s, err
	}
	if s.sink, err = start("sink"); err != nil {
		return s, err
	}
	for _, f := range servedFaults() {
		var port int
		if err := s.sink.line(&port); err != nil {
			return s, err
		}
		s.ports[f] = port
	}
	begin := time.Now()
	if err := s.store(ctx); err != nil {
		return s, err
	}
	fmt.Printf("%d accounts stored in %v\n", o.accounts, time.Since(begin).Round(time.Second))
	return s, s.startWorker(identity)
}

// startWorker starts the worker, whose every memory of a mail is short.
func (s *site) startWorker(identity secret.String) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	ports := []string{fmt.Sprint(deadPort)}
	for _, p := range s.ports {
		ports = append(ports, fmt.Sprint(p))
	}
	text := fmt.Sprintf(`redis: {url: %q}
accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%s]}
secrets: {identity_file: key.txt}
worker: {addr: %q, attempt_timeout: 30s, shutdown_timeout: 30s}
retry: {first: 5s, max: 20s, give_up: %[4]v, greylist_min: 5s, uncertain_pause: 30s}
ledger: {keep: %[4]v}
errorlog: {retention: %[4]v}
log: {level: error}
`, s.server.URL(), strings.Join(ports, ", "), addr, kept)
	file := filepath.Join(s.folder, "rohrpost.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.folder, "key.txt"), []byte(identity.Reveal()+"\n"), 0o600); err != nil {
		return err
	}
	if s.worker, err = start("worker", file); err != nil {
		return err
	}
	var profiles string
	if err := s.worker.line(&profiles); err != nil {
		return err
	}
	s.metrics, s.profiles = "http://"+addr+"/metrics", "http://"+profiles
	return nil
}

// close ends everything that has begun.
func (s *site) close() error {
	var errs []error
	for _, h := range []*helper{s.worker, s.sink} {
		if h != nil {
			errs = append(errs, h.stop())
		}
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Close())
	}
	if s.server != nil {
		errs = append(errs, s.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}
