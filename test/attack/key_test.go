package attack

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestKeyOfTheWebPart: the web part does everything without a key. On a host that is
// broken into there is none to be found.
func TestKeyOfTheWebPart(t *testing.T) {
	t.Parallel()
	server := trialServer(t)
	s, key := trialSite(t, fmt.Sprintf("accounts: {store: redis, require_check: true, allow_networks: [127.0.0.0/8], allow_ports: [%d]}\n", server.Port())+trialUsers(t, "acme"))
	s.run(trialAccount("127.0.0.1", server.Port()), "account", "set", "--tenant", "acme", "--file", "-")
	web := s.start("web")
	test := map[string]any{"tenant": "acme", "to": "it@acme.example"}
	got := web.trialPost("acme", "/api/accounts/test", test)
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "rohrpost worker") || got.took > 10*time.Second {
		t.Errorf("without a worker: %d %s after %v", got.status, got.body, got.took)
	}
	s.start("worker", key)
	unsaved := map[string]any{"tenant": "acme", "to": "it@acme.example", "settings": map[string]any{
		"address": "new@acme.example", "smtp": map[string]any{
			"host": "127.0.0.1", "port": server.Port(), "encryption": "none", "allow_plaintext_login": true, "username": "info@acme.example", "password": trialPassword,
		},
	}}
	waitFor(t, "a worker has tried the unsaved settings", func() bool {
		got = web.trialPost("acme", "/api/accounts/test", unsaved)
		return got.status != http.StatusServiceUnavailable
	})
	if got.status != http.StatusOK || !strings.Contains(got.body, `"accepted":true`) || !strings.Contains(got.body, "new@acme.example") {
		t.Errorf("unsaved: %d %s", got.status, got.body)
	}
	if got := web.trialPost("acme", "/api/accounts/doctor", test); got.status != http.StatusOK || !strings.Contains(got.body, `"name":"recipient"`) || strings.Contains(got.body, `"verdict":"failed"`) {
		t.Errorf("doctor: %d %s", got.status, got.body)
	}
	if got := web.trialPost("acme", "/api/accounts/test", test); got.status != http.StatusOK || !strings.Contains(got.body, `"checked":true`) {
		t.Errorf("stored: %d %s", got.status, got.body)
	}
	if got := web.trialDo("acme", http.MethodGet, "/api/accounts/explain?tenant=acme", ""); got.status != http.StatusOK || strings.Contains(got.body, "waits") || strings.Contains(got.body, "key") {
		t.Errorf("explain: %d %s", got.status, got.body)
	}
	if server.Taken() != 2 {
		t.Errorf("%d mails", server.Taken())
	}
}
