package attack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestO4Recipient: an administrator sends test mails to anybody.
func TestO4Recipient(t *testing.T) {
	t.Parallel()
	server := trialServer(t)
	s, key := trialSite(t, fmt.Sprintf("accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%d]}\n", server.Port())+trialUsers(t, "acme"))
	s.run(trialAccount("127.0.0.1", server.Port()), "account", "set", "--tenant", "acme", "--file", "-")
	serve := s.start("serve", key)
	const victim = "victim@elsewhere.example"
	typed := json.RawMessage(strings.NewReplacer("it@acme.example", victim, "info@acme.example", victim).Replace(trialAccount("127.0.0.1", server.Port())))
	for name, body := range map[string]map[string]any{
		"stored":                {"tenant": "acme", "to": victim},
		"typed":                 {"tenant": "acme", "to": victim, "settings": typed},
		"as several recipients": {"tenant": "acme", "to": "it@acme.example>, <" + victim},
	} {
		if got := serve.trialPost("acme", "/api/accounts/test", body); got.status != http.StatusForbidden && got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if server.Taken() != 0 {
		t.Errorf("%d mails to %v", server.Taken(), server.Mails()[0].Recipients)
	}
	for _, body := range []map[string]any{{"tenant": "acme", "to": "it@acme.example"}, {"tenant": "acme"}} {
		if got := serve.trialPost("acme", "/api/accounts/test", body); got.status != http.StatusOK || !strings.Contains(got.body, `"accepted":true`) {
			t.Errorf("%v: %d %s", body, got.status, got.body)
		}
	}
}
