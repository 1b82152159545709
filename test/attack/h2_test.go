package attack

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// h2Accounts send through one server; acme's mails wear a look.
const h2Accounts = `
platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}}
tenants:
  acme:
    branding: {enabled: true, company: Acme GmbH}
    account: {address: info@acme.example, smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}}
`

// h2Mail is a message of tenant acme as rohrpost send --json reads it.
func h2Mail(t *testing.T, body, text string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"tenant": "acme", "to": "k@example.org", "subject": "x", body: text})
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func h2Site(t *testing.T) (*site, *smtptest.Server) {
	t.Helper()
	server := smtptest.Start(t, smtptest.Options{Discard: true, Extensions: []string{"PIPELINING", "8BITMIME"}})
	s := newSite(t, "accounts: {file: accounts.yaml}\nworker: {concurrency: 2, attempt_timeout: 5s, shutdown_timeout: 10s}\n")
	s.write("accounts.yaml", fmt.Sprintf(h2Accounts, server.Port()))
	return s, server
}

// TestH2OneLine: mails that cost a quarter of an hour each have left within seconds,
// and an ordinary one of another tenant behind them, too.
func TestH2OneLine(t *testing.T) {
	t.Parallel()
	const size = 12 << 20
	s, server := h2Site(t)
	mails := []string{
		h2Mail(t, "text", strings.Repeat("x", size)),
		h2Mail(t, "text", strings.Repeat("a ", size/2)),
		h2Mail(t, "html", strings.Repeat("<", 1<<20)),
		h2Mail(t, "html", "<p>"+strings.Repeat("<body a", 1<<10)+strings.Repeat("<p>x", 1<<17)),
	}
	for _, mail := range mails {
		s.run(mail, "send", "--json")
	}
	s.run("", "send", "--to", "k@example.org", "--subject", "x", "--text", "x")
	s.start("worker")
	waitFor(t, "every mail has left", func() bool { return server.Taken() == len(mails)+1 })
}

// TestH2Stop: a worker that composes such mails ends when it is told to.
func TestH2Stop(t *testing.T) {
	t.Parallel()
	s, server := h2Site(t)
	mail := h2Mail(t, "text", strings.Repeat("x", 12<<20))
	for range 4 {
		s.run(mail, "send", "--json")
	}
	w := s.start("worker")
	client := s.redis.Client(t)
	waitFor(t, "the worker has mails in hand", func() bool {
		return server.Taken() > 0 || client.LLen(t.Context(), "asynq:{default}:active").Val() > 0
	})
	told := time.Now()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the worker has ended", func() bool { return w.Process.Signal(syscall.Signal(0)) != nil })
	if took := time.Since(told); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
