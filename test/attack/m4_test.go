package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestM4Locked: a tenant that is locked sends test mails with settings that are not
// stored.
func TestM4Locked(t *testing.T) {
	t.Parallel()
	server := trialServer(t)
	s, key := trialSite(t, fmt.Sprintf("accounts: {store: redis, require_unlock: true, allow_networks: [127.0.0.0/8], allow_ports: [%d]}\n", server.Port())+trialUsers(t, "acme"))
	serve := s.start("serve", key)
	for _, user := range []string{"", "max"} {
		settings := json.RawMessage(trialAccount("127.0.0.1", server.Port()))
		if user != "" {
			settings = json.RawMessage(strings.Replace(string(settings), `"admin_address": "it@acme.example", `, "", 1))
		}
		for _, path := range []string{"/api/accounts/test", "/api/accounts/doctor"} {
			got := serve.trialPost("acme", path, map[string]any{"tenant": "acme", "user": user, "to": "victim@elsewhere.example", "settings": settings})
			if got.status != http.StatusForbidden || !strings.Contains(got.body, "unlock") {
				t.Errorf("%s of %q: %d %s", path, user, got.status, got.body)
			}
		}
	}
	if server.Sessions() != 0 {
		t.Errorf("%d connections, %d mails", server.Sessions(), server.Taken())
	}
}
