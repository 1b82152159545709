// Package attack tries what one party can do to the others: each test is an attack
// that once held, made against the built program as its users run it, with a real
// redis-server and real proxies.
//
// ROHRPOST_PROGRAM names another program to attack, one of an older commit perhaps:
// a test that passes there has shown nothing.
package attack

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// program is the built command.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	if program = os.Getenv("ROHRPOST_PROGRAM"); program != "" {
		_ = os.Unsetenv("ROHRPOST_PROGRAM") // to the program it would be an unknown setting
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "attack")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program = filepath.Join(folder, "rohrpost")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/rohrpost/rohrpost/cmd/rohrpost").CombinedOutput(); err != nil {
		_, _ = os.Stderr.Write(out)
		return 1
	}
	return m.Run()
}

// A site is an installation: a folder with its files, and a Redis.
type site struct {
	t      *testing.T
	folder string
	redis  *redistest.Server
}

// newSite makes one with this rohrpost.yaml, in which %[1]q is the URL of its Redis.
// Without a verb the line that names it is put in front. Accounts are empty.
func newSite(t *testing.T, settings string, opts ...redistest.Option) *site {
	t.Helper()
	s := &site{t: t, folder: t.TempDir(), redis: redistest.Start(t, opts...)}
	s.configure(settings)
	return s
}

// configure writes rohrpost.yaml anew, as in newSite.
func (s *site) configure(settings string) {
	s.t.Helper()
	if strings.Contains(settings, "%[1]") {
		settings = fmt.Sprintf(settings, s.redis.URL())
	} else {
		settings = fmt.Sprintf("redis: {url: %q}\n", s.redis.URL()) + settings
	}
	s.write("rohrpost.yaml", settings)
}

// write puts a file into the folder.
func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), "ROHRPOST_CONFIG=rohrpost.yaml")
	return cmd
}

// try is a command that may fail: what it prints, and what it complains.
func (s *site) try(input string, args ...string) (out, problem string, err error) {
	s.t.Helper()
	cmd := s.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// run is a command that succeeds, and what it prints.
func (s *site) run(input string, args ...string) string {
	s.t.Helper()
	out, problem, err := s.try(input, args...)
	if err != nil {
		s.t.Fatalf("rohrpost %s: %v\n%s", strings.Join(args, " "), err, problem)
	}
	return out
}

// A process is a running worker, web or serve.
type process struct {
	*exec.Cmd
	t    *testing.T
	addr string // where it answers over HTTP
	said *text  // stderr and stdout
}

// text is what a process has written so far.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.Write(b)
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.buf.String()
}

// start runs worker, web or serve until the test ends, and returns when it is ready.
// Settings are environment variables, ROHRPOST_…=….
func (s *site) start(role string, settings ...string) *process {
	s.t.Helper()
	p := &process{Cmd: s.command(role), t: s.t, addr: porttest.Addr(s.t).String(), said: &text{}}
	key := "ROHRPOST_WEB_ADDR="
	if role == "worker" {
		key = "ROHRPOST_WORKER_ADDR="
	}
	p.Env = append(append(p.Env, key+p.addr), settings...)
	p.Stdout, p.Stderr = p.said, p.said
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = p.Wait() }()
	s.t.Cleanup(func() {
		_ = p.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(30 * time.Second):
			_ = p.Process.Kill()
			<-gone
			s.t.Errorf("rohrpost %s did not end\n%s", role, p.said)
		}
	})
	waitFor(s.t, role+" is ready", func() bool {
		select {
		case <-gone:
			s.t.Fatalf("rohrpost %s has ended\n%s", role, p.said)
		default:
		}
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return p
}

// patience is how long anything may take.
const patience = 30 * time.Second

// waitFor returns when done says so, or ends the test.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if done() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}
