package attack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// trialPassword is that of all users of these tests, and of the mail server.
const trialPassword = "canary-hunter2"

// trialUsers are settings: an administrator of each tenant, by the tenant's name.
func trialUsers(t *testing.T, tenants ...string) string {
	t.Helper()
	const cost = 10 // the least that is allowed
	hash, err := bcrypt.GenerateFromPassword([]byte(trialPassword), cost)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("web:\n  users:\n")
	for _, tenant := range tenants {
		fmt.Fprintf(&b, "  - {name: %s, role: admin, tenant: %s, password_bcrypt: %q}\n", tenant, tenant, hash)
	}
	return b.String()
}

// trialSite is an installation with accounts in Redis. Its workers get a key by their
// environment, which is the second answer; rohrpost.yaml has the public one alone.
func trialSite(t *testing.T, settings string) (s *site, identity string) {
	t.Helper()
	private, public, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s = newSite(t, fmt.Sprintf("secrets: {recipients: [%s]}\n", public)+settings)
	return s, "ROHRPOST_SECRETS_IDENTITY=" + private.Reveal()
}

// trialServer is a mail server that wants a login.
func trialServer(t *testing.T) *smtptest.Server {
	t.Helper()
	return smtptest.Start(t, smtptest.Options{Username: "info@acme.example", Password: trialPassword})
}

// trialAccount are settings for a mail server.
func trialAccount(host string, port int) string {
	return fmt.Sprintf(`{"admin_address": "it@acme.example", "account": {"address": "info@acme.example", "smtp": {"host": %q, "port": %d, `+
		`"encryption": "none", "allow_plaintext_login": true, "password": %q}}}`, host, port, trialPassword)
}

// A trialAnswer is what the web part says.
type trialAnswer struct {
	status int
	body   string
	took   time.Duration
}

// trialPost asks as a tenant's administrator.
func (p *process) trialPost(tenant, path string, body map[string]any) trialAnswer {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.trialDo(tenant, http.MethodPost, path, string(text))
}

func (p *process) trialDo(tenant, method, path, body string) trialAnswer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.addr+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.SetBasicAuth(tenant, trialPassword)
	r.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return trialAnswer{resp.StatusCode, string(text), time.Since(start)}
}
