// Package docs holds the documentation to the program: it runs the commands of the
// pages, loads their configurations, compiles their code, and looks up the names that
// they mention.
package docs

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// patience bounds each command. Building the benchmark's program takes the longest.
const patience = 2 * time.Minute

// bin is the folder of the built program.
var bin string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	redisconn.LogTo(zerolog.Nop())
	var err error
	if bin, err = os.MkdirTemp("", "docs"); err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(bin) }()
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/rohrpost/rohrpost/cmd/rohrpost").CombinedOutput(); err != nil {
		_, _ = os.Stderr.Write(out)
		return 1
	}
	return m.Run()
}

// anyPort lets a process choose a port that is free, and say which.
const anyPort = "127.0.0.1:0"

// password is that of the mail server's account, and of the person who signs in.
const password = "correct-horse"

// A site is an installation in which the commands of one page run: a folder, a Redis
// and a mail server that keeps what it gets.
type site struct {
	t      *testing.T
	folder string
	redis  *redistest.Server
	mails  *smtptest.Server
	env    map[string]string
	web    string // the address of its pages, once they were served
	said   string // what the commands since the last output block have printed
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{
		t: t, folder: t.TempDir(), redis: redistest.Start(t),
		mails: smtptest.Start(t, smtptest.Options{Username: "info@acme.example", Password: password}),
	}
	s.env = map[string]string{
		"PATH": bin + ":" + os.Getenv("PATH"), "HOME": s.folder, "USER": "olga",
		"ROHRPOST_REDIS_URL": s.redis.URL(), "ROHRPOST_WEB_ADDR": anyPort, "ROHRPOST_WORKER_ADDR": anyPort,
	}
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(repository, "configs"), filepath.Join(s.folder, "configs")); err != nil {
		t.Fatal(err)
	}
	return s
}

// write puts a file into the folder.
func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// account is settings for the site's mail server.
func (s *site) account(password string) string {
	return fmt.Sprintf(`address: info@acme.example
admin_address: it@acme.example
smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, password: %s}
`, s.mails.Port(), password)
}

// shell is a command line that runs in the folder.
func (s *site) shell(ctx context.Context, line string) (*exec.Cmd, *output) {
	cmd := exec.CommandContext(ctx, "bash", "-c", "set -o pipefail; "+line)
	cmd.Dir = s.folder
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.WaitDelay = time.Second
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// run is a command line that ends, and what it prints.
func (s *site) run(line string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	cmd, said := s.shell(ctx, line)
	err := cmd.Run()
	return said.String(), err
}

// must is run for what prepares a page.
func (s *site) must(line string) string {
	s.t.Helper()
	out, err := s.run(line)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return strings.TrimSpace(out)
}

// served finds in what a process prints the address at which it answers.
var served = regexp.MustCompile(`"addr":"(127\.0\.0\.1:[0-9]+)"|http://(127\.0\.0\.1:[0-9]+)/`)

// start runs worker, web, serve or dev until it is ready, and returns what ends it.
func (s *site) start(line string) (end func() error) {
	s.t.Helper()
	cmd, said := s.shell(context.Background(), "exec "+line)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	s.wait(line, gone, said, func() bool {
		m := served.FindStringSubmatch(said.String())
		if m == nil {
			return false
		}
		s.web = m[1] + m[2] // one of them is empty
		resp, err := http.Get("http://" + s.web + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		select {
		case err := <-gone:
			return err
		case <-time.After(patience):
			return fmt.Errorf("does not end: %w", cmd.Process.Kill())
		}
	}
}

// serve runs worker and pages until the test ends. The hash of the user's password is
// put into the verb.
func (s *site) serve(user string) {
	s.t.Helper()
	hash := s.must("printf %s " + password + " | rohrpost web hash-password")
	s.env["ROHRPOST_WEB_USERS"] = fmt.Sprintf("["+user+"]", hash)
	s.write("accounts.yaml", "platform: {address: noreply@platform.example, smtp: {host: smtp.platform.example}}\n")
	end := s.start("rohrpost serve")
	s.t.Cleanup(func() {
		if err := end(); err != nil {
			s.t.Error(err)
		}
	})
}

// wait returns when a process is ready, and ends the test when it has ended before.
func (s *site) wait(line string, gone <-chan error, said *output, ready func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !ready(); {
		select {
		case err := <-gone:
			s.t.Fatalf("%s: %v\n%s", line, err, said)
		case <-end:
			s.t.Fatalf("%s: not ready", line)
		case <-tick.C:
		}
	}
}

// An output is what a process has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
