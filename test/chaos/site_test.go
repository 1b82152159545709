package chaos

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// A site is everything that takes part.
type site struct {
	t       *testing.T
	plan    plan
	folder  string
	books   *books
	whims   *whims
	redis   *redistest.Server
	links   []*link
	servers []*server
	workers []*worker
	status  *producer.Client // past all links

	redisDown bool
	mu        sync.Mutex
	deeds     map[deed]int
	stop      context.CancelFunc // of the operator
	operator  sync.WaitGroup
}

func newSite(t *testing.T, p plan) *site {
	t.Helper()
	s := &site{t: t, plan: p, folder: folder(t), books: newBooks(), whims: newWhims(p.seed), deeds: map[deed]int{}}
	redisconn.LogTo(zerolog.Nop()) // that Redis is away is no news
	port := strconv.Itoa(steadyPort(t))
	s.redis = redistest.Start(t, redistest.AOF(), redistest.Args("--bind", "127.0.0.1", "--port", port))
	var err error
	if s.status, err = producer.New(s.redis.Client(t), producer.Options{}); err != nil {
		t.Fatal(err)
	}
	for i := range serverLinks {
		s.links = append(s.links, newLink(t, linkName(i), "127.0.0.1:"+port))
	}
	s.startServers()
	s.configure(0)
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	s.operator.Go(func() { s.operate(ctx) })
	t.Cleanup(func() { cancel(); s.operator.Wait() })
	s.startWorkers()
	return s
}

// folder is for files and logs; they stay when the test has failed.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the logs of the workers are in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

func (s *site) startServers() {
	certificate := smtptest.SelfSigned(s.t, "127.0.0.1")
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificates[0].Certificate[0]})
	if err := os.WriteFile(s.path("roots.pem"), roots, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.servers = []*server{
		{pipelining: true},
		{pipelining: true, login: true, size: true},
		{login: true},
		{pipelining: true, login: true, tls: certificate},
		{pipelining: true, login: true, tls: certificate, implicit: true, size: true},
		{},
	}
	for i, x := range s.servers {
		x.name, x.whims, x.books, x.accepted = serverName(i), s.whims, s.books, s.accepted
		x.start(s.t)
		s.links = append(s.links, newLink(s.t, linkName(serverLinks+i), x.listener.Addr().String()))
	}
}

func (s *site) path(name string) string { return filepath.Join(s.folder, name) }

// accepted asks the ledger whether a recipient is noted as accepted. What cannot
// be read at the moment is not held against anybody.
func (s *site) accepted(id, recipient string) bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
	defer cancel()
	st, err := s.status.Status(ctx, id)
	for _, r := range st.Recipients {
		if err == nil && r.Address == recipient && r.State == rohrpost.RecipientAccepted {
			return true
		}
	}
	return false
}

// configure writes the accounts: the platform's, a tenant's for each other server,
// and a tenant that has none. Each number makes new settings.
func (s *site) configure(number int) {
	var text strings.Builder
	account := func(i int) string {
		x := s.servers[i]
		_, port, _ := strings.Cut(s.links[serverLinks+i].addr, ":")
		settings := "encryption: none"
		switch {
		case x.implicit:
			settings = "encryption: tls"
		case x.tls != nil:
			settings = "encryption: starttls"
		}
		if x.login {
			settings += fmt.Sprintf(", allow_plaintext_login: true, password: secret-%d", number)
		}
		return fmt.Sprintf(`address: %s@chaos.example, name: "Settings %d", smtp: {host: 127.0.0.1, port: %s, %s, max_connections: 4}`, x.name, number, port, settings)
	}
	fmt.Fprintf(&text, "platform: {%s}\ntenants:\n  guest: {}\n", account(0))
	for i := 1; i < servers; i++ {
		fmt.Fprintf(&text, "  %s: {account: {%s}}\n", serverName(i), account(i))
	}
	temporary := s.path("accounts.new")
	err := os.WriteFile(temporary, []byte(text.String()), 0o600)
	if err = errors.Join(err, os.Rename(temporary, s.path("accounts.yaml"))); err != nil {
		s.t.Error(err)
	}
}

// operate is somebody who looks after accounts that are parked: he gives all of
// them new settings.
func (s *site) operate(ctx context.Context) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for number := 1; ; number++ {
		select {
		case <-tick.C:
			s.configure(number)
		case <-ctx.Done():
			return
		}
	}
}

func (s *site) count(d deed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deeds[d]++
}

// calm ends all whims. weather has undone everything else.
func (s *site) calm() { s.whims.calm.Store(true) }

// end stops the workers as an operator does.
func (s *site) end() {
	s.stop()
	s.operator.Wait()
	for _, w := range s.workers {
		w.signal(syscall.SIGTERM)
	}
	for _, w := range s.workers {
		w.wait()
		if text, err := os.ReadFile(w.log); err != nil || bytes.Contains(text, []byte("\ngoroutine ")) {
			s.t.Errorf("a worker has crashed: see %s (%v)", w.log, err)
		}
	}
}

// A worker is a process of the real program, started again after each death.
type worker struct {
	t       *testing.T
	program string
	log     string
	clock   string
	env     []string

	cmd    *exec.Cmd // nil: dead
	done   chan struct{}
	frozen bool
}

func (s *site) startWorkers() {
	s.t.Helper()
	var changes []func(*builder)
	if *plantedFlag {
		changes = append(changes, planted)
	}
	usual := build(s.t, "rohrpost", changes...)
	special := usual
	if s.plan.length >= deadly {
		special = build(s.t, "rohrpost-clock", append(changes, jumping)...)
	}
	for i := range workers {
		w := &worker{t: s.t, program: usual, log: s.path(fmt.Sprintf("worker-%d.log", i)), clock: s.path(fmt.Sprintf("clock-%d", i))}
		if i == jumpy {
			w.program = special
		}
		w.env = append(os.Environ(), "SSL_CERT_FILE="+s.path("roots.pem"), clockVariable+"="+w.clock,
			"ROHRPOST_REDIS_URL=redis://"+s.links[i].addr+"/0", "ROHRPOST_ACCOUNTS_FILE="+s.path("accounts.yaml"),
			"ROHRPOST_WORKER_CONCURRENCY=40", "ROHRPOST_WORKER_SHUTDOWN_TIMEOUT=20s", "ROHRPOST_WORKER_ATTEMPT_TIMEOUT="+patience.String(),
			"ROHRPOST_RETRY_FIRST=1s", "ROHRPOST_RETRY_FACTOR=1.5", "ROHRPOST_RETRY_MAX=10s", "ROHRPOST_RETRY_GREYLIST_MIN=2s",
			"ROHRPOST_RETRY_UNCERTAIN_PAUSE=3s", "ROHRPOST_ERRORLOG_MAX_ENTRIES=10000000")
		s.workers = append(s.workers, w)
		w.start()
		s.t.Cleanup(func() {
			if w.cmd != nil {
				w.end(os.Kill)
			}
		})
	}
}

func (w *worker) start() {
	log, err := os.OpenFile(w.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(w.program, "worker")
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env, log, log
	cmd.SysProcAttr = dieWithParent()
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // its parent is the thread, and must live as long
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		if started <- err; err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		w.t.Fatal(err)
	}
	w.cmd, w.done = cmd, done
}

func (w *worker) signal(signal os.Signal) {
	if err := w.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.t.Error(err)
	}
}

// revive starts the workers again that have ended by themselves, as a supervisor
// does: without Redis a worker does not start.
func (s *site) revive() {
	for _, w := range s.workers {
		if w.cmd == nil {
			continue
		}
		select {
		case <-w.done:
			s.count(failedStart)
			w.start()
		default:
		}
	}
}

// end signals the worker and waits for its end.
func (w *worker) end(signal os.Signal) {
	w.signal(signal)
	w.wait()
}

func (w *worker) wait() {
	select {
	case <-w.done:
	case <-time.After(time.Minute):
		w.t.Errorf("a worker has not ended within a minute; its log:\n%s", tail(w.log))
		_ = w.cmd.Process.Kill()
		<-w.done
	}
	w.cmd = nil
}

// setClock makes the worker's clock wrong.
func (w *worker) setClock(by time.Duration) {
	text := strconv.FormatInt(int64(by/time.Second), 10)
	err := os.WriteFile(w.clock+".new", []byte(text), 0o600)
	if err = errors.Join(err, os.Rename(w.clock+".new", w.clock)); err != nil {
		w.t.Error(err)
	}
}

func tail(path string) string {
	text, _ := os.ReadFile(path)
	return string(text[max(0, len(text)-3000):])
}

// logOf is what the workers' logs say of a job.
func (s *site) logOf(id string) string {
	var out strings.Builder
	for i, w := range s.workers {
		text, _ := os.ReadFile(w.log)
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte(id)) {
				fmt.Fprintf(&out, "worker %d %s", i, line)
			}
		}
	}
	return out.String()
}
