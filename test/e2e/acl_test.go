package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

const (
	operatorPassword = "password of olga"
	linkSecret       = "the secret of the crm, 32 octets"
)

// documentedUser finds the users that docs/redis.md gives.
var documentedUser = regexp.MustCompile(`(?m)^ACL SETUSER (\w+) on >(\w+) (.*)$`)

// A guardedSite is a site whose processes are those users, and nobody else.
type guardedSite struct {
	*site
	urls map[string]string
	addr string // of the pages
}

func newGuardedSite(t *testing.T, port int) *guardedSite {
	t.Helper()
	page, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	g := &guardedSite{site: &site{t: t, folder: t.TempDir(), redis: redistest.Start(t, redistest.TCP())}, urls: map[string]string{}}
	admin := g.redis.Client(t)
	for _, user := range documentedUser.FindAllStringSubmatch(string(page), -1) {
		args := []any{"acl", "setuser", user[1], "on", ">" + user[2]}
		for rule := range strings.FieldsSeq(user[3]) {
			args = append(args, rule)
		}
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		g.urls[user[1]] = strings.Replace(g.redis.URL(), "redis://", "redis://"+user[1]+":"+user[2]+"@", 1)
	}
	shipped, err := os.ReadFile("../../configs/redis-users.acl")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range documentedUser.FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(string(shipped), "user "+user[1]+" on >"+strings.ToUpper(user[1])+" "+user[3]+"\n") {
			t.Errorf("configs/redis-users.acl gives %s other rights than docs/redis.md", user[1])
		}
	}
	if len(g.urls) != 3 {
		t.Fatalf("docs/redis.md gives %d users", len(g.urls))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(operatorPassword), 10)
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("accounts: {store: redis, allow_networks: [127.0.0.0/8], allow_ports: [%d]}\nweb: {users: [{name: olga, role: operator, password_bcrypt: %q}], links: [{issuer: crm, secret: %q}]}\nlog: {level: warn}\n", port, hash, linkSecret)
	g.write("rohrpost.yaml", settings)
	g.write("roots.pem", "") // no server here speaks TLS
	g.do("worker", "", "keygen", "-o", "key.txt")
	g.write("rohrpost.yaml", settings+"secrets: {identity_file: key.txt}\n")
	return g
}

// as lets a user of Redis be the one of a command.
func (g *guardedSite) as(user string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Env, "ROHRPOST_REDIS_URL="+g.urls[user])
	return cmd
}

// do is a command of a user that succeeds, and what it prints.
func (g *guardedSite) do(user, input string, args ...string) string {
	g.t.Helper()
	cmd := g.as(user, g.command(args...))
	var problem bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &problem
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("%s: rohrpost %s: %v\n%s", user, strings.Join(args, " "), err, &problem)
	}
	return string(out)
}

// TestDocumentedUsers: producer, worker and web do their work as the three users of
// docs/redis.md, and a producer can do no more than that.
func TestDocumentedUsers(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{Username: "login", Password: "password"})
	g := newGuardedSite(t, server.Port())
	account := fmt.Sprintf("{address: a@acme.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, username: login, password: password}}", server.Port())
	g.do("worker", account, "account", "set", "--tenant", "acme")
	g.do("worker", account, "account", "set")

	g.extra = []string{"ROHRPOST_REDIS_URL=" + g.urls["worker"]}
	g.worker()
	g.extra = nil
	g.do("producer", "", "send", "--tenant", "acme", "--to", "kunde@example.org", "--text", "x", "--id", "one")
	waitFor(t, "the mail is accepted", func() bool {
		return strings.Contains(g.do("producer", "", "status", "one", "--tenant", "acme"), "accepted")
	})
	pages := g.pages("web")
	for _, path := range []string{"/", "/problems", "/problems?view=log", "/t/acme/", "/t/acme/problems", "/queues/", "/queues/api/queues", "/queues/api/queues/default/archived_tasks", "/api/accounts/explain?tenant=acme", "/system", "/system/check", "/system/history"} {
		if status, body := pages("GET", path, ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := pages("GET", "/system", ""); !strings.Contains(body, "One worker is running") || strings.Contains(body, "Redis has not told") {
		t.Errorf("/system: %s", body)
	}
	if status, body := pages("POST", "/system/check", ""); status != http.StatusOK {
		t.Errorf("check: %d %s", status, body)
	}
	waitFor(t, "the check has ended", func() bool {
		_, body := pages("GET", "/system/check", "")
		return strings.Contains(body, "each in exactly one place")
	})
	status, body := pages("POST", "/api/accounts/test", `{"tenant":"acme","to":"kunde@example.org"}`)
	var result struct {
		Accepted bool `json:"accepted"`
	}
	if err := json.Unmarshal([]byte(body), &result); err != nil || status != http.StatusOK || !result.Accepted {
		t.Errorf("test mail: %d %s", status, body)
	}
	g.signIn()
	g.refused("producer", "rohrpost:session:x", "rohrpost:adminlink:x", "rohrpost:oidc:x", "rohrpost:accounts:{t:acme}", "rohrpost:oauth:{x}", "rohrpost:breaker:states", "rohrpost:errors:{acme}", "rohrpost:{trial}:waiting")
	g.refused("web", "rohrpost:oauth:{x}")
}

// pages starts the web part as a user, and answers with a way to ask it as operator.
func (g *guardedSite) pages(user string) func(method, path, body string) (int, string) {
	g.t.Helper()
	addr := porttest.Addr(g.t).String()
	g.addr = addr
	cmd := g.as(user, g.command("web"))
	cmd.Env = append(cmd.Env, "ROHRPOST_WEB_ADDR="+addr)
	start(g.t, cmd)
	waitFor(g.t, "the web part is ready", func() bool {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return func(method, path, body string) (int, string) {
		r, err := http.NewRequest(method, "http://"+addr+path, strings.NewReader(body))
		if err != nil {
			g.t.Fatal(err)
		}
		r.SetBasicAuth("olga", operatorPassword)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			g.t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			g.t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
}

// signIn signs people in and out on the pages, with a password and by a link.
func (g *guardedSite) signIn() {
	g.t.Helper()
	signer, err := adminlink.NewSecret("crm", rohrpost.NewSecret(linkSecret))
	if err != nil {
		g.t.Fatal(err)
	}
	token, err := signer.Token(adminlink.Link{Subject: "1", Tenant: "acme", Role: adminlink.Admin})
	if err != nil {
		g.t.Fatal(err)
	}
	for path, form := range map[string]url.Values{"/login": {"name": {"olga"}, "password": {operatorPassword}}, "/sso": {"token": {token}}} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			g.t.Fatal(err)
		}
		client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for _, step := range []struct {
			path string
			form url.Values
			want int
		}{{path, form, http.StatusSeeOther}, {"/logout", url.Values{"everywhere": {"1"}}, http.StatusOK}} {
			resp, err := client.PostForm("http://"+g.addr+step.path, step.form)
			if err != nil {
				g.t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != step.want {
				g.t.Errorf("%s: %d", step.path, resp.StatusCode)
			}
		}
	}
}

// refused looks that a user can neither read nor write keys.
func (g *guardedSite) refused(user string, keys ...string) {
	g.t.Helper()
	o, err := redis.ParseURL(g.urls[user])
	if err != nil {
		g.t.Fatal(err)
	}
	rdb := redis.NewClient(o)
	defer func() { _ = rdb.Close() }()
	for _, key := range keys {
		script := redis.NewScript("return redis.call('DEL', KEYS[1])")
		for what, err := range map[string]error{
			"read": rdb.Type(g.t.Context(), key).Err(), "written": rdb.Set(g.t.Context(), key, "x", 0).Err(),
			"deleted by a script": script.Run(g.t.Context(), rdb, []string{key}).Err(),
		} {
			if err == nil || !strings.Contains(err.Error(), "NOPERM") && !strings.Contains(err.Error(), "ermission") && !strings.Contains(err.Error(), "access") {
				g.t.Errorf("%s is %s by %s: %v", key, what, user, err)
			}
		}
	}
}
