package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// namesAccount are settings with encryption.
func namesAccount(host string, port int) json.RawMessage {
	return json.RawMessage(strings.Replace(trialAccount(host, port), `"encryption": "none", "allow_plaintext_login": true`, `"encryption": "starttls"`, 1))
}

// TestLNames: a tenant finds out which names and ports there are behind the system, by
// how a test mail or the doctor fails.
func TestLNames(t *testing.T) {
	t.Parallel()
	inside := smtptest.Start(t, smtptest.Options{})
	s, key := trialSite(t, "accounts: {store: redis}\n"+trialUsers(t, "acme", "globex"))
	for _, tenant := range []string{"acme", "globex"} {
		s.run(`{"admin_address": "it@acme.example"}`, "account", "set", "--tenant", tenant, "--file", "-")
	}
	serve := s.start("serve", key)
	servers := []struct {
		name, host string
		port       int
	}{
		{"an open port", "127.0.0.1", inside.Port()},
		{"a closed port", "127.0.0.1", 587},
		{"an inner address", "10.0.0.1", 587},
		{"an inner name", "localhost", 587},
		{"no such name", "nowhere.onion", 587}, // nobody is asked about it (RFC 7686)
	}
	for tenant, path := range map[string]string{"acme": "/api/accounts/test", "globex": "/api/accounts/doctor"} {
		answers := make([]trialAnswer, len(servers))
		var asked sync.WaitGroup
		for i, server := range servers {
			asked.Go(func() {
				answers[i] = serve.trialPost(tenant, path, map[string]any{
					"tenant": tenant, "to": "it@acme.example", "settings": namesAccount(server.host, server.port),
				})
			})
		}
		asked.Wait()
		var first string
		for i, server := range servers {
			got := answers[i]
			typed := fmt.Sprintf("%s:%d", server.host, server.port)
			told := strings.ReplaceAll(got.body, typed, "SERVER")
			if at := strings.Index(told, `"message_id":"`); at >= 0 {
				told = told[:at] + told[at+strings.Index(told[at:], ",")+1:]
			}
			if i == 0 {
				first = told
			}
			if got.status != http.StatusOK || told != first || !strings.Contains(told, "config_invalid") {
				t.Errorf("%s, %s: %d\n%s\nnot\n%s", path, server.name, got.status, told, first)
			}
			if got.took < time.Second {
				t.Errorf("%s, %s: answered after %v", path, server.name, got.took)
			}
		}
	}
	if inside.Sessions() != 0 {
		t.Errorf("%d connections", inside.Sessions())
	}
}

// TestLExplain: a tenant sees the platform's server, and where its files are.
func TestLExplain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "accounts: {file: accounts.yaml}\n"+trialUsers(t, "acme"))
	s.write("accounts.yaml", `platform:
  address: noreply@platform.example
  reverse_path: bounces@inner.platform.example
  smtp: {host: relay.inner.platform.example, username: canary, password_file: /run/inner/secret}
tenants:
  acme: {admin_address: it@acme.example}
`)
	web := s.start("web")
	for _, query := range []string{"?tenant=acme", "?tenant=acme&user=max&origin=manual", "?tenant=acme&category=marketing"} {
		got := web.trialDo("acme", http.MethodGet, "/api/accounts/explain"+query, "")
		if got.status != http.StatusOK || !strings.Contains(got.body, "noreply@platform.example") {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
		for _, word := range []string{"inner", "canary", "/run", "587"} {
			if strings.Contains(got.body, word) {
				t.Errorf("%s: %q is told: %s", query, word, got.body)
			}
		}
	}
}
