package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// A site is an installation that keeps its accounts in Redis. Everything is done
// to it as an operator would: by its files and the command line.
type site struct {
	t      *testing.T
	folder string
	redis  *redistest.Server
	mail   *producer.Client
	ports  []string
	extra  []string // environment of all commands
}

// newSite makes one with a key, whose tenants may use servers on this machine at
// these ports.
func newSite(t *testing.T, ports ...int) *site {
	t.Helper()
	s := &site{t: t, folder: t.TempDir(), redis: redistest.Start(t)}
	s.mail = openProducer(t, s.redis.URL())
	for _, port := range ports {
		s.ports = append(s.ports, strconv.Itoa(port))
	}
	s.configure("")
	s.run("", "keygen", "-o", "key.txt")
	s.configure("identity_file: key.txt")
	return s
}

// configure writes the configuration file, with these secrets.
func (s *site) configure(secrets string) {
	s.t.Helper()
	s.write("rohrpost.yaml", fmt.Sprintf(`redis: {url: %q}
accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%s]}
secrets: {%s}
retry: {first: 1s}
log: {level: warn}
`, s.redis.URL(), strings.Join(s.ports, ", "), secrets))
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// trust makes certificates the only ones that the program accepts.
func (s *site) trust(certificates ...[]byte) {
	s.t.Helper()
	var roots bytes.Buffer
	for _, der := range certificates {
		roots.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	s.write("roots.pem", roots.String())
}

func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), "ROHRPOST_CONFIG=rohrpost.yaml", "SSL_CERT_FILE=roots.pem")
	cmd.Env = append(cmd.Env, s.extra...)
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

// A failed attempt, as the command line prints it.
type failed struct {
	JobID    string `json:"job_id"`
	Stage    string `json:"stage"`
	Category string `json:"category"`
	Class    string `json:"class"`
	Hint     string `json:"hint"`
}

// errors is the whole error log.
func (s *site) errors() []failed {
	s.t.Helper()
	var list []failed
	for d := json.NewDecoder(strings.NewReader(s.run("", "errors", "list", "--json", "--limit", "0"))); ; {
		var f failed
		if err := d.Decode(&f); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, f)
	}
}

// send enqueues mails of a tenant at once.
func (s *site) send(tenant string, n int) []rohrpost.Receipt {
	s.t.Helper()
	messages := make([]rohrpost.Message, n)
	for i := range messages {
		messages[i] = message()
		messages[i].Tenant = tenant
	}
	return s.sendAll(messages)
}

func (s *site) sendAll(messages []rohrpost.Message) []rohrpost.Receipt {
	s.t.Helper()
	results, err := s.mail.SendBatch(s.t.Context(), messages)
	if err != nil {
		s.t.Fatal(err)
	}
	receipts := make([]rohrpost.Receipt, len(results))
	for i, r := range results {
		receipts[i] = r.Receipt
	}
	return receipts
}

// A process is a running worker.
type process struct {
	*exec.Cmd
	t    *testing.T
	addr string // of its metrics
}

// worker starts one, and returns when it is ready. Settings go before those of
// the file.
func (s *site) worker(settings ...string) *process {
	s.t.Helper()
	p := &process{Cmd: s.command("worker"), t: s.t, addr: porttest.Addr(s.t).String()}
	p.Env = append(append(p.Env, "ROHRPOST_WORKER_ADDR="+p.addr), settings...)
	start(s.t, p.Cmd)
	waitFor(s.t, "the worker is ready", func() bool {
		resp, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return p
}

// end signals the process and waits until it is gone.
func (p *process) end(signal os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	waitFor(p.t, "the worker has ended", func() bool {
		return errors.Is(p.Process.Signal(syscall.Signal(0)), os.ErrProcessDone)
	})
}

// metric is the sum of the series whose lines begin so.
func (p *process) metric(prefix string) float64 {
	resp, err := http.Get("http://" + p.addr + "/metrics")
	if err != nil {
		p.t.Error(err)
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	sum := 0.0
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), prefix) {
			_, text, _ := strings.Cut(lines.Text(), " ")
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				p.t.Error(err)
			}
			sum += value
		}
	}
	if err := lines.Err(); err != nil {
		p.t.Error(err)
	}
	return sum
}

// byID counts mails by the ids that their Message-IDs may have: the left side, without the
// marks of tenant and time behind an id that was chosen.
func byID(taken map[string]int) map[string]int {
	known := map[string]int{}
	for messageID, n := range taken {
		left, _, _ := strings.Cut(strings.TrimPrefix(messageID, "<"), "@")
		const marks = 2
		for range marks + 1 {
			known[left] += n
			left = left[:max(0, strings.LastIndexByte(left, '.'))]
		}
	}
	return known
}

// checkOnce looks for every mail at the servers: each was taken once, and no
// other.
func checkOnce(t *testing.T, receipts []rohrpost.Receipt, servers ...*smtptest.Server) {
	t.Helper()
	taken := map[string]int{}
	for _, s := range servers {
		for _, m := range s.Mails() {
			parsed, err := mail.ReadMessage(bytes.NewReader(m.Body))
			if err != nil {
				t.Fatal(err)
			}
			taken[parsed.Header.Get("Message-ID")]++
		}
	}
	known := byID(taken)
	for _, r := range receipts {
		if n := known[r.ID]; n != 1 {
			t.Errorf("%s was taken %d times", r.ID, n)
		}
	}
	if len(taken) != len(receipts) {
		t.Errorf("%d mails were taken, %d were sent", len(taken), len(receipts))
	}
}
