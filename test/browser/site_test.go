package browser

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// A site is an installation: a folder with its files, a Redis, and the program that
// serves it.
type site struct {
	*peers
	t      *testing.T
	folder string
	addr   string // of its pages
	public string // their address as browsers have it: "http://127.0.0.1:8080"
	redis  *redistest.Server
	queue  *producer.Client // by which applications send
	spice  string
}

// siteOptions change an installation.
type siteOptions struct {
	spice    string // see named
	accounts string // further keys of rohrpost.yaml: of accounts, in one line
	web      string // and of web, a line each
}

// newSite starts one.
func newSite(t *testing.T, o siteOptions) *site {
	t.Helper()
	s := &site{peers: newPeers(t), t: t, folder: t.TempDir(), addr: porttest.Addr(t).String(), redis: redistest.Start(t), spice: o.spice}
	s.public = "http://" + s.addr
	var err error
	if s.queue, err = producer.Open(s.redis.URL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.queue.Close() })
	s.write("roots.pem", s.roots.String())
	settings := fmt.Sprintf(`redis: {url: %q}
accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%s]%s}
errorlog: {show_recipients: true}
retry: {first: 10m, jitter: 0}
log: {level: warn}
web:
  addr: %s
  links: [{issuer: crm, secret: %s, operators: true}]
  users: [{name: olga, role: operator, password_bcrypt: %q}]
%s`, s.redis.URL(), strings.Join(s.ports, ", "), o.accounts, s.addr, linkSecret, hash(), o.web)
	s.write("rohrpost.yaml", settings)
	s.run("", "keygen", "-o", "key.txt")
	s.write("rohrpost.yaml", settings+"secrets: {identity_file: key.txt}\n")
	s.serve()
	return s
}

// of is the site for a part of a test.
func (s *site) of(t *testing.T) *site {
	part := *s
	part.t = t
	return &part
}

// password is that of olga, who may also sign in with name and password.
const password = "correct-horse"

var hash = sync.OnceValue(func() []byte {
	const cost = 10 // the least that is allowed
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		panic(err)
	}
	return h
})

// named is what a tenant or user is called here.
func (s *site) named(name string) string {
	if name == "" {
		return "" // the platform
	}
	return name + s.spice
}

// origin is where its cookies belong.
func (s *site) origin() *url.URL {
	u, err := url.Parse(s.public)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
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
	// Go's own resolver alone reads the file of names.
	cmd.Env = append(os.Environ(), "ROHRPOST_CONFIG=rohrpost.yaml", "SSL_CERT_FILE=roots.pem", "GODEBUG=netdns=go")
	return cmd
}

// run is a command that succeeds, and what it prints.
func (s *site) run(input string, args ...string) string {
	s.t.Helper()
	cmd := s.command(args...)
	var problem bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &problem
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("rohrpost %s: %v\n%s", strings.Join(args, " "), err, &problem)
	}
	return string(out)
}

// account stores settings, as an operator does on the command line. Tenant "" is the
// platform.
func (s *site) account(tenant, user, settings string) {
	s.t.Helper()
	args := []string{"account", "set"}
	for flag, value := range map[string]string{"--tenant": s.named(tenant), "--user": s.named(user)} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	s.run(settings, args...)
}

// serve runs the program until the test ends, and returns when it is ready.
func (s *site) serve() {
	s.t.Helper()
	cmd, said := s.command("serve"), &text{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-gone
			s.t.Error("rohrpost serve did not end")
		}
		if s.t.Failed() || strings.Contains(said.String(), "panic") {
			s.t.Logf("rohrpost serve said:\n%s", cmp.Or(said.String(), "nothing"))
		}
	})
	waitFor(s.t, "rohrpost serve is ready", func() bool {
		select {
		case <-gone:
			s.t.Fatalf("rohrpost serve has ended\n%s", said)
		default:
		}
		resp, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
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
