package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
)

// An environment is a private redis-server and an smtp-sink.
type environment struct {
	settings
	dir       string
	socket    string // of Redis
	config    configs.Config
	rdb       redis.UniversalClient
	mail      *producer.Client
	recipient string // of sealed mails; empty: they are in clear
	sink      string // host:port
	children  []*exec.Cmd
	figures   *figures
}

const (
	startTimeout = 10 * time.Second
	poolSize     = 60
)

func newEnvironment(ctx context.Context, s settings) (e *environment, err error) {
	redisconn.LogTo(zerolog.Nop()) // a server that does not answer yet is waited for
	e = &environment{settings: s, config: configs.Default(), figures: &figures{}}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if e.dir, err = os.MkdirTemp("", "rohrpost-bench-"); err != nil {
		return e, err
	}
	if s.has("tls") {
		if err = e.issue(); err != nil {
			return e, err
		}
	}
	e.socket = filepath.Join(e.dir, "redis.sock")
	if err = e.start("redis-server", "--port", "0", "--unixsocket", e.socket, "--dir", e.dir,
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", ""); err != nil {
		return e, err
	}
	e.config.Redis.URL = "unix://" + e.socket
	if e.rdb, err = redisconn.Open(redisconn.Options{URL: e.config.Redis.URL, PoolSize: poolSize}); err != nil {
		return e, err
	}
	if err = e.wait(ctx, "redis-server", func() bool { return e.rdb.Ping(ctx).Err() == nil }); err != nil {
		return e, err
	}
	if s.seal {
		if e.config.Secrets.Identity, e.recipient, err = seal.Generate(); err != nil {
			return e, err
		}
	}
	if e.mail, err = producer.New(e.rdb, e.producerOptions()); err != nil {
		return e, err
	}
	return e, e.startSink(ctx)
}

func (e *environment) producerOptions() producer.Options {
	if e.recipient == "" {
		return producer.Options{}
	}
	return producer.Options{Recipients: []string{e.recipient}}
}

func (e *environment) startSink(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.sink = l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	args := []string{"-h", "sink.example", e.sink, "1000"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...)
	}
	if err := e.start("smtp-sink", args...); err != nil {
		return err
	}
	return e.wait(ctx, "smtp-sink", func() bool {
		c, err := net.Dial("tcp", e.sink)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (e *environment) start(name string, args ...string) error {
	cmd := exec.Command(find(name), args...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w (make test installs it)", err)
	}
	e.children = append(e.children, cmd)
	return nil
}

// find knows where Debian puts programs for administrators.
func find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "/usr/sbin/" + name
}

// wait asks again until it is true.
func (e *environment) wait(ctx context.Context, what string, ok func() bool) error {
	return poll(ctx, startTimeout, 10*time.Millisecond, what, ok)
}

func poll(ctx context.Context, limit, every time.Duration, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return errors.New(what + ": not ready in time")
		case <-tick.C:
		}
	}
	return nil
}

func (e *environment) close() {
	if e.rdb != nil {
		_ = e.rdb.Close()
	}
	for _, c := range e.children {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	_ = os.RemoveAll(e.dir)
}

// worker starts a worker that sends everything to the server of the course; the
// returned function stops it.
func (e *environment) worker(ctx context.Context, c course) (func() error, error) {
	if err := e.writeAccounts(c); err != nil {
		return nil, err
	}
	a, err := app.New(app.Options{
		Config: e.config, Roles: app.Roles{Worker: true}, Version: "bench", Logger: zerolog.New(os.Stderr).Level(zerolog.ErrorLevel),
	})
	if err != nil {
		return nil, err
	}
	if err := a.Start(ctx); err != nil {
		return nil, err
	}
	return a.Stop, nil
}

// writeAccounts writes the accounts file that leads everything to the server of the
// course.
func (e *environment) writeAccounts(c course) error {
	host, port, err := net.SplitHostPort(c.server)
	if err != nil {
		return err
	}
	encryption := "none"
	if c.tls {
		encryption = "starttls"
	}
	text := fmt.Sprintf("platform:\n  address: noreply@platform.example\n  smtp: {host: %s, port: %s, encryption: %s, max_connections: %d}\n",
		host, port, encryption, c.connections)
	e.config.Accounts.File = configs.Path(filepath.Join(e.dir, "accounts.yaml"))
	return os.WriteFile(string(e.config.Accounts.File), []byte(text), 0o600)
}
