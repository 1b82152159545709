package private

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
)

// ErrMissing says that there is no program to start.
var ErrMissing = errors.New("neither redis-server nor valkey-server is on the PATH: install one (apt install redis-server), or set redis.url to a Redis server")

const (
	// A server that ends is started again, but not without end.
	maxRestarts = 3
	// steady is how long it must have run for earlier restarts to be forgotten.
	steady = time.Minute
)

// Options of Start.
type Options struct {
	// Dir is the directory that belongs to this process; the server's own is in
	// it. It is made if it is missing. Required, absolute.
	Dir string
	// Logger is told when the server ends and is started again.
	Logger zerolog.Logger
}

// A Server is a redis-server that ends with this process.
type Server struct {
	folder  folder
	program string
	locks   locks
	log     zerolog.Logger
	child   *child // watch's, and Stop's after it
	cancel  context.CancelFunc
	gone    chan struct{}
	err     error // set before gone is closed
}

// Start starts a server and returns when it has loaded its data and answers, or
// with ctx. The error is ErrMissing, ErrTooLong, ErrForeign, ErrInUse, or says in one line
// what redis-server or the directory lacks.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{folder: folder(filepath.Join(o.Dir, "redis")), log: o.Logger, gone: make(chan struct{})}
	var err error
	if s.program, err = lookPath(); err == nil {
		err = s.folder.create()
	}
	if err == nil {
		s.locks, err = s.folder.lock(ctx)
	}
	if err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		s.locks.release()
		return nil, fmt.Errorf("private redis: %w", err)
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.gone)
		if err := s.watch(ctx); err != nil && ctx.Err() == nil {
			s.err = fmt.Errorf("private redis: %w", err)
		}
	}()
	return s, nil
}

func lookPath() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", ErrMissing
}

// launch starts a child and waits for it. It leaves none behind that does not
// answer.
func (s *Server) launch(ctx context.Context) (err error) {
	if s.child, err = s.folder.start(s.program, s.locks.data); err != nil {
		return err
	}
	if err = s.child.ready(ctx); err != nil {
		return errors.Join(err, s.child.end())
	}
	return nil
}

// watch starts the server again when it ends, until ctx does. Clients find out by
// themselves when it answers.
func (s *Server) watch(ctx context.Context) error {
	for restarts := 0; ; {
		since := time.Now()
		select {
		case <-s.child.gone:
		case <-ctx.Done():
			return nil
		}
		if time.Since(since) > steady {
			restarts = 0
		}
		if restarts++; restarts > maxRestarts {
			return fmt.Errorf("redis-server ends again and again (%w): %s (see %s)", s.child.why, s.child.lastWords(), s.folder.log())
		}
		s.log.Error().Err(s.child.why).Str("log", s.folder.log()).Msg("the private redis-server has ended and is started again")
		next, err := s.folder.start(s.program, s.locks.data)
		if err != nil {
			return err
		}
		s.child = next
	}
}

// URL is what redisconn.Open takes.
func (s *Server) URL() string { return s.folder.url() }

// Gone is closed when the server has ended for good: after Stop, or when it could
// not be started again.
func (s *Server) Gone() <-chan struct{} { return s.gone }

// Err is why the server has ended for good, nil after Stop. It waits for Gone.
func (s *Server) Err() error {
	<-s.gone
	return s.err
}

// Stop ends the server and waits until it has written its data. Clients are to be
// closed before.
func (s *Server) Stop() error {
	s.cancel()
	<-s.gone
	defer s.locks.release()
	return s.child.end()
}
