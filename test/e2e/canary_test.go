package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// The canaries. Each is in a place from which it must never come out.
const (
	canaryPassword = "canary-password-hunter2"
	canarySecret   = "canary-client-secret-4711"
	canaryBody     = "canary-body-of-the-mail"
	canarySubject  = "canary-subject-of-the-mail"

	signIn = "the password of the pages" // not among what is looked for: it is sent nowhere else
)

// TestCanaries sends known secrets and bodies down every failing path, with
// servers that repeat what they hear, and looks for them everywhere: process log
// at its finest, error log in all formats, metrics, pages, asynqmon, the command
// line, Redis' records of accounts, and the crash output of a process.
func TestCanaries(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	f := newBirdcage(t)
	f.write("key.txt", f.program("", "keygen"))
	f.write("rohrpost.yaml", fmt.Sprintf(`redis: {url: %q}
accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%s]}
secrets: {identity_file: key.txt}
web: {addr: %q, users: [{name: olga, role: operator, password_bcrypt: %q}]}
log: {level: trace}
`, redis.URL(), strings.Join(f.ports, ","), f.web, strings.TrimSpace(f.program(signIn, "web", "hash-password"))))
	f.write("accounts.yaml", f.accounts.String())
	f.program("", "account", "import", "accounts.yaml")
	var log bytes.Buffer
	serve := f.serve(&log)

	mail := openProducer(t, redis.URL())
	for _, tenant := range f.tenants {
		_, err := mail.Send(t.Context(), rohrpost.Message{
			ID: "to-" + tenant, Tenant: tenant, Subject: canarySubject, Text: canaryBody, HTML: "<p>" + canaryBody,
			To: []rohrpost.Address{{Address: "kunde@example.org"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "every mail has failed once", func() bool {
		for _, tenant := range f.tenants {
			if st, err := mail.Status(t.Context(), "to-"+tenant); err != nil || len(st.History) == 0 {
				return false
			}
		}
		return true
	})
	f.everything()
	for _, tenant := range f.tenants {
		if st, err := mail.Status(t.Context(), "to-"+tenant); err != nil || st.State == rohrpost.Accepted {
			t.Errorf("%s: the mail did not fail: %+v, %v", tenant, st, err)
		}
	}
	for key, value := range redis.Client(t).HGetAll(t.Context(), "rohrpost:breaker:states").Val() {
		f.note("notice "+key, value)
	}
	for _, tenant := range f.tenants {
		for field, value := range redis.Client(t).HGetAll(t.Context(), "rohrpost:accounts:{t:"+tenant+"}").Val() {
			f.note("redis "+tenant+" "+field, value)
		}
	}
	if err := serve.Process.Signal(syscall.SIGQUIT); err != nil { // every goroutine is printed
		t.Fatal(err)
	}
	f.wait(serve)
	if !strings.Contains(log.String(), "goroutine ") {
		t.Error("there is no crash output to look into")
	}
	f.note("log and crash", log.String())
	f.search()
}

// A birdcage has the servers that hear the canaries, and collects all texts.
type birdcage struct {
	t        *testing.T
	folder   string
	web      string
	ports    []string
	accounts bytes.Buffer
	tenants  []string
	secrets  []string
	certs    string
	texts    map[string]string
}

func newBirdcage(t *testing.T) *birdcage {
	t.Helper()
	f := &birdcage{t: t, folder: t.TempDir(), web: porttest.Addr(t).String(), texts: map[string]string{}}
	f.secrets = []string{canaryPassword, canarySecret, canaryBody, canarySubject}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00max@acme.example\x00" + canaryPassword))
	echo := func(code int) smtptest.Answer {
		return smtptest.Reply(code, "5.7.0 I heard "+canaryPassword, "5.7.0 and "+plain+" with "+canaryBody[:6])
	}
	f.accounts.WriteString("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: 1, encryption: none}}\ntenants:\n")
	for name, script := range map[string]func(*smtptest.Server){
		"login-refused":   func(s *smtptest.Server) { s.On(smtptest.AUTH, echo(535)) },
		"login-deferred":  func(s *smtptest.Server) { s.On(smtptest.AUTH, echo(454)) },
		"cut-at-login":    func(s *smtptest.Server) { s.On(smtptest.AUTH, smtptest.Cut()) },
		"sender-refused":  func(s *smtptest.Server) { s.On(smtptest.MAIL, echo(550)) },
		"mail-refused":    func(s *smtptest.Server) { s.On(smtptest.RCPT, echo(550)) },
		"content-refused": func(s *smtptest.Server) { s.On(smtptest.Dot, smtptest.Reply(554, "5.6.0 spam: "+canaryPassword)) },
		"cut-at-dot":      func(s *smtptest.Server) { s.On(smtptest.Dot, smtptest.Cut()) },
		"no-mail-server":  func(s *smtptest.Server) { s.On(smtptest.Banner, smtptest.Raw("* OK IMAP "+canaryBody[:6]+"\r\n")) },
	} {
		s := smtptest.Start(t, smtptest.Options{Username: "max@acme.example", Password: canaryPassword})
		script(s)
		f.password(name, s.Port())
	}
	f.password("nobody-there", porttest.Addr(t).Port)
	f.account("not-allowed", "{address: max@acme.example, smtp: {host: 127.0.0.1, port: 25, password: "+canaryPassword+"}}")
	f.oauth()
	return f
}

func (f *birdcage) account(tenant, settings string) {
	f.tenants = append(f.tenants, tenant)
	fmt.Fprintf(&f.accounts, "  %s: {account: %s}\n", tenant, settings)
}

func (f *birdcage) password(tenant string, port int) {
	f.ports = append(f.ports, fmt.Sprint(port))
	f.account(tenant, fmt.Sprintf("{address: max@acme.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, password: %s}}",
		port, canaryPassword))
}

// oauth are accounts with tokens: one that is refused, and two that servers refuse.
func (f *birdcage) oauth() {
	tokens := oauthtest.Start(f.t, oauthtest.Options{TLS: true, ClientSecret: canarySecret})
	refused := oauthtest.Start(f.t, oauthtest.Options{TLS: true, ClientSecret: canarySecret})
	refresh, spent := tokens.Connect("max@acme.example"), refused.Connect("max@acme.example")
	f.secrets = append(f.secrets, refresh, spent)
	refused.On(oauthtest.Microsoft(http.StatusBadRequest, "invalid_grant", "AADSTS700082: "+spent+" is expired, "+canarySecret, 700082))
	graph := apitest.Graph(f.t, apitest.Options{Token: func(string) bool { return true }})
	graph.On(apitest.GraphError(http.StatusForbidden, "ErrorAccessDenied", "Bearer of "+canaryBody+" is not welcome"))
	certificate := smtptest.SelfSigned(f.t, "127.0.0.1")
	smtp := smtptest.Start(f.t, smtptest.Options{TLS: certificate, Token: func(string, string) bool { return false }})
	f.ports = append(f.ports, fmt.Sprint(smtp.Port()))
	f.trust(certificate.Certificates[0].Certificate[0])
	for _, address := range []string{tokens.TokenURL(), refused.TokenURL(), graph.URL()} {
		f.trustServer(address)
	}
	grant := func(server *oauthtest.Server, token, rest string) string {
		return fmt.Sprintf("{address: max@acme.example, oauth2: {provider: microsoft, client_id: client-1, client_secret: %s, refresh_token: %s, endpoints: {token: %q, %s}}}",
			canarySecret, token, server.TokenURL(), rest)
	}
	f.account("grant-refused", grant(refused, spent, `smtp: "127.0.0.1:1"`))
	f.account("token-refused", grant(tokens, refresh, fmt.Sprintf("smtp: %q", smtp.Addr())))
	api := strings.Replace(grant(tokens, refresh, fmt.Sprintf("api: %q", graph.URL()+"/v1.0")), "microsoft,", "microsoft, transport: graph,", 1)
	f.account("api-refused", api)
}

// trust makes a certificate one that the program accepts.
func (f *birdcage) trust(certificate []byte) {
	f.certs += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	f.write("roots.pem", f.certs)
}

// trustServer trusts the certificate of a server, and allows its port.
func (f *birdcage) trustServer(address string) {
	u, err := url.Parse(address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.ports = append(f.ports, u.Port())
	c, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	f.trust(c.ConnectionState().PeerCertificates[0].Raw)
}

func (f *birdcage) write(name, text string) {
	if err := os.WriteFile(filepath.Join(f.folder, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *birdcage) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(f.t.Context(), program, args...)
	cmd.Dir = f.folder
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE=roots.pem", "GOTRACEBACK=all")
	if _, err := os.Stat(filepath.Join(f.folder, "rohrpost.yaml")); err == nil {
		cmd.Env = append(cmd.Env, "ROHRPOST_CONFIG=rohrpost.yaml")
	}
	return cmd
}

// program runs a command to its end and notes what it prints, whatever its exit code.
func (f *birdcage) program(input string, args ...string) string {
	f.t.Helper()
	cmd := f.command(args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		f.t.Fatal(err)
	}
	if args[0] != "keygen" {
		f.note(strings.Join(args, " "), string(out))
	}
	return string(out)
}

func (f *birdcage) note(where, text string) { f.texts[where] += text }

// serve runs worker and pages; their output is in log once wait has returned.
func (f *birdcage) serve(log *bytes.Buffer) *exec.Cmd {
	f.t.Helper()
	cmd := f.command("serve")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = cmd.Process.Kill() })
	waitFor(f.t, "the pages", func() bool {
		resp, err := http.Get("http://" + f.web + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return cmd
}

func (f *birdcage) wait(cmd *exec.Cmd) { _ = cmd.Wait() }

// everything asks for whatever can be asked for.
func (f *birdcage) everything() {
	for _, path := range []string{
		"/", "/errors", "/problems", "/problems?view=log", "/metrics", "/healthz", "/readyz", "/queues/", "/queues/api/queues",
		"/queues/api/queues/default/retry_tasks", "/queues/api/queues/default/archived_tasks", "/queues/api/queues/default/active_tasks",
		"/queues/api/queues/default/pending_tasks", "/queues/api/redis_info", "/problems/export?format=jsonl", "/problems/export?format=csv", "/nowhere",
	} {
		r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, "http://"+f.web+path, http.NoBody)
		if err != nil {
			f.t.Fatal(err)
		}
		r.SetBasicAuth("olga", signIn)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			f.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			f.t.Fatal(err)
		}
		f.note("GET "+path, fmt.Sprint(resp.Header)+string(body))
	}
	for _, format := range []string{"text", "csv", "jsonl"} {
		f.program("", "errors", "export", "--format", format, "-o", "errors."+format)
		text, err := os.ReadFile(filepath.Join(f.folder, "errors."+format))
		if err != nil {
			f.t.Fatal(err)
		}
		f.note("errors."+format, string(text))
	}
	f.program("", "errors", "list", "--json")
	f.program("", "config", "show")
	f.program("", "account", "list", "--json")
	f.program(`{smtp: {password: `+canaryPassword+`, pasword: `+canaryPassword+`}, address: [`+canaryPassword+`]}`, "account", "set", "--tenant", "new")
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, tenant := range f.tenants {
		wg.Go(func() {
			for _, args := range [][]string{
				{"account", "show"},
				{"account", "show", "--json"},
				{"account", "history"},
				{"account", "explain", "--json"},
				{"account", "test", "--to", "a@example.org", "--json"},
				{"account", "doctor", "--json", "--to", "a@example.org"},
			} {
				args = append(args, "--tenant", tenant)
				out, _ := f.command(args...).CombinedOutput()
				mu.Lock()
				f.note(strings.Join(args, " "), string(out))
				mu.Unlock()
			}
			out, _ := f.command("status", "--json", "to-"+tenant).CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			f.note("status "+tenant, string(out))
		})
	}
	wg.Wait()
}

// search looks for every canary, as it is and as base64, in every text.
func (f *birdcage) search() {
	f.t.Helper()
	if len(f.texts) < 100 {
		f.t.Errorf("only %d texts were collected", len(f.texts))
	}
	size := 0
	for where, text := range f.texts {
		size += len(text)
		for _, s := range f.secrets {
			for _, form := range []string{s, base64.StdEncoding.EncodeToString([]byte(s)), url.QueryEscape(s)} {
				if at := strings.Index(text, form); at >= 0 {
					f.t.Errorf("%s holds %s: …%q…", where, form, text[max(0, at-120):min(len(text), at+len(form)+40)])
				}
			}
		}
	}
	f.t.Logf("%d secrets in none of %d texts (%d KiB)", len(f.secrets), len(f.texts), size>>10)
}
