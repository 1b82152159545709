package attack

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A vault is a site with a key, whose tenants may use servers at these ports.
func newVault(t *testing.T, ports ...string) *site {
	t.Helper()
	s := newSite(t, fmt.Sprintf("accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%s]}\nsecrets: {identity_file: key.txt}\n",
		strings.Join(ports, ", ")))
	s.write("key.txt", s.run("", "keygen"))
	return s
}

// record is what is stored of a tenant's account, to be changed in Redis itself.
func record(t *testing.T, rdb redis.UniversalClient, tenant string) map[string]any {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal([]byte(rdb.HGet(t.Context(), "rohrpost:accounts:{t:"+tenant+"}", "tenant").Val()), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func plant(t *testing.T, rdb redis.UniversalClient, tenant string, r map[string]any) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	rdb.SAdd(t.Context(), "rohrpost:accounts:tenants", tenant)
	if err := rdb.HSet(t.Context(), "rohrpost:accounts:{t:"+tenant+"}", "tenant", text, "#tenant", 1).Err(); err != nil {
		t.Fatal(err)
	}
}

// in goes down into a record.
func in(r map[string]any, path ...string) map[string]any {
	for _, name := range path {
		r = r[name].(map[string]any)
	}
	return r
}

// refusedToUse waits until the error log says that a tenant's secret is somewhere else
// than it was entered for, and that nobody has heard it meanwhile.
func (s *site) refusedToUse(tenant string, heard func() bool) {
	s.t.Helper()
	waitFor(s.t, "the error log of "+tenant+" says why", func() bool {
		if heard() {
			s.t.Fatal("the attacker's server was shown the secret")
		}
		log := s.run("", "errors", "list", "--tenant", tenant, "--json")
		return strings.Contains(log, "config_invalid") && strings.Contains(log, "entered for another server")
	})
	if heard() {
		s.t.Error("the attacker's server was shown the secret")
	}
}

// TestH7Password: whoever writes to Redis has no sealed password sent to a server of
// their own, neither from their own account nor from the one it belongs to.
func TestH7Password(t *testing.T) {
	t.Parallel()
	login := smtptest.Options{Username: "acme", Password: "canary-hunter2"}
	own, evil := smtptest.Start(t, login), smtptest.Start(t, login) // the thief's takes the password it is after
	s := newVault(t, fmt.Sprint(own.Port()), fmt.Sprint(evil.Port()))
	rdb := s.redis.Client(t)
	s.run(fmt.Sprintf("{address: info@acme.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, username: acme, password: canary-hunter2}}",
		own.Port()), "account", "set", "--tenant", "acme")
	heard := func() bool { return evil.Count(smtptest.AUTH) > 0 }
	send := func(tenant string) {
		s.run("", "send", "--tenant", tenant, "--to", "kunde@example.org", "--subject", "s", "--text", "t")
	}

	s.start("worker")
	send("acme")
	waitFor(t, "the account works", func() bool { return own.Taken() == 1 })
	r := record(t, rdb, "acme")
	in(r, "entry", "account", "smtp")["port"] = evil.Port()
	plant(t, rdb, "evil", r)
	send("evil")
	s.refusedToUse("evil", heard)

	plant(t, rdb, "acme", r)
	rdb.Publish(t.Context(), "rohrpost:accounts:changed", "acme\x00")
	send("acme")
	s.refusedToUse("acme", heard)
	if list := s.run("", "account", "list"); strings.Count(list, "unusable") != 2 {
		t.Errorf("the list of accounts:\n%s", list)
	}
}

// A thief is a mail server and a token endpoint that keep what they are shown.
type thief struct {
	smtp   *smtptest.Server
	tokens *oauthtest.Server

	mu     sync.Mutex
	bearer []string
}

func newThief(t *testing.T, certificate *tls.Config) *thief {
	x := &thief{tokens: oauthtest.Start(t, oauthtest.Options{TLS: true, Rotate: true})}
	x.smtp = smtptest.Start(t, smtptest.Options{TLS: certificate, Token: func(_, token string) bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.bearer = append(x.bearer, token)
		return true
	}})
	return x
}

// has reports whether a token of the provider's has come to the thief.
func (x *thief) has(provider *oauthtest.Server, refresh string) bool {
	for _, r := range x.tokens.Requests() {
		if r.Token == refresh {
			return true
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.bearer, provider.Valid)
}

// TestH7Token is TestH7Password with what OAuth2 keeps: the refresh token of the
// account, and the tokens that came of it.
func TestH7Token(t *testing.T) {
	t.Parallel()
	certificate := smtptest.SelfSigned(t, "127.0.0.1")
	provider := oauthtest.Start(t, oauthtest.Options{TLS: true, Rotate: true})
	own := smtptest.Start(t, smtptest.Options{TLS: certificate, Token: func(_, token string) bool { return provider.Valid(token) }})
	evil := newThief(t, certificate)
	s := newVault(t, port(t, provider), port(t, evil.tokens), fmt.Sprint(own.Port()), fmt.Sprint(evil.smtp.Port()))
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificates[0].Certificate[0]})
	roots = append(roots, rootOf(t, provider)...)
	roots = append(roots, rootOf(t, evil.tokens)...)
	s.write("roots.pem", string(roots))
	trust := "SSL_CERT_FILE=" + filepath.Join(s.folder, "roots.pem")
	rdb := s.redis.Client(t)
	connect := func(tenant, refresh string, tokens *oauthtest.Server, server *smtptest.Server) {
		s.run(fmt.Sprintf("{address: max@%s.example, oauth2: {provider: microsoft, client_id: client-1, refresh_token: %s, endpoints: {token: %q, smtp: %q}}}",
			tenant, refresh, tokens.TokenURL(), server.Addr()), "account", "set", "--tenant", tenant)
	}
	refresh := provider.Connect("max@acme.example")
	connect("acme", refresh, provider, own)
	send := func(tenant string) {
		s.run("", "send", "--tenant", tenant, "--to", "kunde@example.org", "--subject", "s", "--text", "t")
	}
	heard := func() bool { return evil.has(provider, refresh) }

	worker := s.start("worker", trust)
	send("acme")
	waitFor(t, "the account works", func() bool { return own.Taken() == 1 })
	victims := rdb.HGetAll(t.Context(), rdb.Keys(t.Context(), "rohrpost:oauth:{*}").Val()[0]).Val()
	connect("evil", evil.tokens.Connect("max@evil.example"), evil.tokens, evil.smtp)
	send("evil")
	waitFor(t, "the thief's account works", func() bool { return evil.smtp.Taken() == 1 })

	// The tokens, in the thief's own grant; by a worker that has none at hand.
	worker.end(t)
	for _, key := range rdb.Keys(t.Context(), "rohrpost:oauth:{*}").Val() {
		if rdb.HGet(t.Context(), key, "i").Val() == victims["i"] {
			continue
		}
		for _, f := range []string{"a", "i", "r", "s", "e"} {
			rdb.HSet(t.Context(), key, f, victims[f])
		}
	}
	again := s.start("worker", trust)
	send("evil")
	waitFor(t, "the thief's account works with its own token, or with another's", func() bool { return evil.smtp.Taken() == 2 })
	if heard() {
		t.Error("the thief has the tokens of another account")
	}
	if !strings.Contains(again.said.String(), "entered for something else") {
		t.Errorf("the worker's log says nothing of it:\n%s", again.said)
	}

	// The sealed refresh token, in the thief's own record.
	r := record(t, rdb, "evil")
	r["secrets"] = record(t, rdb, "acme")["secrets"]
	plant(t, rdb, "evil", r)
	rdb.Publish(t.Context(), "rohrpost:accounts:changed", "evil\x00")
	send("evil")
	s.refusedToUse("evil", heard)
}

// end stops a process before its test ends.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the process is gone", func() bool {
		resp, err := http.Get("http://" + p.addr + "/healthz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
}

func hostOf(t *testing.T, s *oauthtest.Server) *url.URL {
	t.Helper()
	u, err := url.Parse(s.TokenURL())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func port(t *testing.T, s *oauthtest.Server) string { return hostOf(t, s).Port() }

// rootOf asks a server for its certificate.
func rootOf(t *testing.T, s *oauthtest.Server) []byte {
	t.Helper()
	c, err := tls.Dial("tcp", hostOf(t, s).Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.ConnectionState().PeerCertificates[0].Raw}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
