package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// setUp is a configuration for a Redis and a scripted mail server.
func setUp(t *testing.T) (configs.Config, *smtptest.Server, *producer.Client) {
	t.Helper()
	redis := redistest.Start(t)
	server := smtptest.Start(t, smtptest.Options{})
	cfg := configs.Default()
	cfg.Redis.URL = redis.URL()
	cfg.Web.Addr = "127.0.0.1:0"
	cfg.Accounts.File = configs.Path(filepath.Join(t.TempDir(), "accounts.yaml"))
	writeAccounts(t, cfg, server, "noreply@platform.example")
	mail, err := producer.New(redis.Client(t), producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, server, mail
}

func writeAccounts(t *testing.T, cfg configs.Config, server *smtptest.Server, address string) {
	t.Helper()
	text := fmt.Sprintf("platform:\n  address: %s\n  smtp: {host: 127.0.0.1, port: %d, encryption: none}\n", address, server.Port())
	if err := os.WriteFile(string(cfg.Accounts.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func startApp(t *testing.T, cfg configs.Config, roles Roles) *App {
	t.Helper()
	a, err := New(Options{Config: cfg, Roles: roles, Version: "test", Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func get(t *testing.T, a *App, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(a.Link("/"), "token=")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func accept(t *testing.T, mail *producer.Client, id string) rohrpost.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := mail.Send(ctx, rohrpost.Message{ID: id, To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		st, err := mail.Status(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if st.State.Final() {
			return st
		}
		<-tick.C
	}
}

// TestServe runs worker and pages in one process.
func TestServe(t *testing.T) {
	t.Parallel()
	cfg, server, mail := setUp(t)
	a := startApp(t, cfg, Roles{Worker: true, Web: true})
	if st := accept(t, mail, "one"); st.State != rohrpost.Accepted || server.Taken() != 1 {
		t.Errorf("status %+v, %d mails", st, server.Taken())
	}
	if _, err := mail.Send(t.Context(), rohrpost.Message{Tenant: "acme", To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "the overview of acme has its bar", func() bool {
		_, body := get(t, a, "/t/acme/")
		return strings.Contains(body, `role="img" aria-label="1 accepted, 0 failed for good">`) && strings.Count(body, "<rect") == 48
	})
	redistest.Until(t, "the operators' has both mails", func() bool {
		_, body := get(t, a, "/")
		return strings.Contains(body, `role="img" aria-label="2 accepted, 0 failed for good">`) && strings.Count(body, "<rect") == 48
	})
	for path, word := range map[string]string{
		"/tenants": ">acme<", "/healthz": "ok", "/readyz": "ready", "/": "rohrpost", "/problems": "rohrpost", "/queues/": "<title>",
		"/metrics": `rohrpost_mails_accepted_total{level="platform"} 2`,
	} {
		if status, body := get(t, a, path); status != http.StatusOK || !strings.Contains(body, word) {
			t.Errorf("%s: %d, %q is not in it", path, status, word)
		}
	}
}

// TestWorkerAlone has health and metrics where worker.addr says.
func TestWorkerAlone(t *testing.T) {
	t.Parallel()
	cfg, _, mail := setUp(t)
	cfg.Worker.Addr = "127.0.0.1:0"
	a := startApp(t, cfg, Roles{Worker: true})
	accept(t, mail, "one")
	if status, body := get(t, a, "/metrics"); status != http.StatusOK || !strings.Contains(body, "rohrpost_connections") {
		t.Errorf("metrics: %d %s", status, body)
	}
	if status, _ := get(t, a, "/problems"); status != http.StatusNotFound {
		t.Errorf("a worker serves /errors: %d", status)
	}
}

// TestAccountsReload changes the accounts file under a running worker.
func TestAccountsReload(t *testing.T) {
	t.Parallel()
	cfg, server, mail := setUp(t)
	startApp(t, cfg, Roles{Worker: true})
	accept(t, mail, "before")
	writeAccounts(t, cfg, server, "other-address@platform.example")
	deadline := time.Now().Add(20 * time.Second)
	for n := 0; ; n++ {
		accept(t, mail, fmt.Sprintf("after%d", n))
		mails := server.Mails()
		if mails[len(mails)-1].ReversePath == "other-address@platform.example" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the changed account is not used")
		}
	}
}

// TestStartFails leaves nothing running.
func TestStartFails(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for name, change := range map[string]func(*configs.Config){
		"redis":    func(c *configs.Config) { c.Redis.URL = "redis://127.0.0.1:1/0" },
		"web.addr": func(c *configs.Config) { c.Web.Addr = taken.Addr().String() },
		"accounts": func(c *configs.Config) { c.Accounts.File = "/nonexistent/accounts.yaml" },
	} {
		changed := cfg
		change(&changed)
		a, err := New(Options{Config: changed, Roles: Roles{Worker: true, Web: true}, Logger: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.redis.Ping(t.Context()).Err(); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("%s: parts are still up: %v", name, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a process without a role")
	}
}

// TestEndWhileStarting: a process that is told to end before it has started does so
// without an error.
func TestEndWhileStarting(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	a, err := New(Options{Config: cfg, Roles: Roles{Worker: true, Web: true}, Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Start(ctx); err != nil {
		t.Error(err)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}
