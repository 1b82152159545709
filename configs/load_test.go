package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

// same compares secrets by their values.
func same(t *testing.T, want, got Config) {
	t.Helper()
	reveal := cmp.Comparer(func(a, b secret.String) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, got, reveal); diff != "" {
		t.Error(diff)
	}
}

// write makes a file in a fresh folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func hash(t *testing.T) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte("pw"), minBcryptCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// dkimKey is a file with a key of rohrpost dkim keygen.
func dkimKey(t *testing.T) string {
	t.Helper()
	key, err := dkim.Generate("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "s1.pem", string(key))
}

func TestTemplateIsTheDefaults(t *testing.T) {
	t.Parallel()
	got, err := Load(write(t, "rohrpost.yaml", Template()), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	got.Accounts.File = Path(filepath.Base(string(got.Accounts.File)))
	want.Web.Users, want.Web.Links, want.DKIM = []User{}, []Link{}, []DKIM{}
	same(t, want, got)
}

func TestTemplateHasEveryKey(t *testing.T) {
	t.Parallel()
	l := newLoader()
	l.file("rohrpost.yaml", []byte(Template()))
	for key := range l.fields {
		if _, ok := l.origins[key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
	for line := range strings.SplitSeq(Template(), "\n") {
		if len(line) > 90 {
			t.Errorf("too long: %s", line)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	got, err := Load("", []string{"HOME=/x", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, Default(), got)
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	path := write(t, "rohrpost.yaml", "retry: {first: 2m, max: 3h, give_up: 5h}\nworker: {concurrency: 7}\n")
	environ := []string{"ROHRPOST_RETRY_MAX=4h", "ROHRPOST_RETRY_GIVE_UP=6h", "ROHRPOST_CONFIG=/nonexistent: the argument wins"}
	got, err := Load(path, environ, Override{"retry.give_up", "7h"}, Override{"errorlog.show_recipients", "true"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Accounts.File = Path(filepath.Join(filepath.Dir(path), "accounts.yaml"))
	want.Worker.Concurrency = 7
	want.Retry.First, want.Retry.Max, want.Retry.GiveUp = 2*time.Minute, 4*time.Hour, 7*time.Hour
	want.ErrorLog.ShowRecipients = true
	same(t, want, got)
}

func TestFileFromEnvironment(t *testing.T) {
	t.Parallel()
	path := write(t, "x.yaml", "log: {level: debug}")
	got, err := Load("", []string{"ROHRPOST_CONFIG=" + path})
	if err != nil || got.Log.Level != "debug" {
		t.Errorf("%q, %v", got.Log.Level, err)
	}
}

func TestEveryKeyHasAVariable(t *testing.T) {
	t.Parallel()
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"redis.url": "redis://h:1/2", "redis.password": "pw", "redis.password_file": "", "accounts.file": "a.yaml",
		"accounts.store": "redis", "accounts.require_unlock": "true", "accounts.require_check": "true", "accounts.require_approval": "true", "accounts.require_acceptance": "true",
		"accounts.allow_networks": "10.0.0.0/8, fd00::/8", "accounts.deny_networks": "10.2.0.0/16", "accounts.allow_ports": "25", "accounts.max_connections": "12",
		"secrets.recipients": recipient, "secrets.identity": identity.Reveal(), "secrets.identity_file": "", "secrets.require_bound": "true", "payload.seal": "true",
		"dkim": "[{domain: platform.example, selector: s1, key_file: " + dkimKey(t) + "}]", "messages.id_domain": "mail.acme.example", "messages.require_unsubscribe": "true",
		"oauth2.microsoft_client_id": "m", "oauth2.microsoft_client_secret": "ms", "oauth2.microsoft_client_secret_file": "",
		"oauth2.google_client_id": "g", "oauth2.google_client_secret": "gs", "oauth2.google_client_secret_file": "",
		"worker.concurrency": "8", "worker.servers": "2", "worker.attempt_timeout": "3s", "worker.shutdown_timeout": "40s", "worker.helo": "h", "worker.addr": ":1",
		"retry.first": "5s", "retry.factor": "1.5", "retry.jitter": "0.1", "retry.max": "6s", "retry.give_up": "7s", "retry.greylist_min": "1s", "retry.uncertain_pause": "2s",
		"limits.max_message_size": "1KiB", "limits.connections_per_account": "9",
		"limits.waiting_mails_per_tenant": "12", "limits.waiting_bytes_per_tenant": "3KiB", "limits.failed_bytes_per_tenant": "2KiB",
		"limits.not_before_max": "2h", "limits.expires_max": "3h", "ledger.keep": "10s", "ledger.keep_subject": "true",
		"errorlog.retention": "1m", "errorlog.max_entries": "11", "errorlog.max_bytes": "1MiB", "errorlog.show_recipients": "true", "errorlog.language": "de",
		"notices.enabled": "false", "notices.after": "5m", "notices.operators": "ops@platform.example",
		"web.addr": "localhost:0", "web.socket": "s", "web.public_url": "https://crm.example/mail", "web.base_path": "/mail", "web.embed_origins": "https://crm.example", "web.trusted_proxies": "127.0.0.1, fd00::/8",
		"web.metrics_token": "0123456789abcdef", "web.metrics_token_file": "", "web.links": "[{issuer: crm, secret: 0123456789abcdef0123456789abcdef, tenants: [acme], operators: false}]",
		"web.forward_auth.header": "X-User", "web.forward_auth.secret_header": "X-Secret", "web.forward_auth.secret": "0123456789abcdef", "web.forward_auth.secret_file": "",
		"web.oidc.issuer": "https://login.example", "web.oidc.client_id": "c", "web.oidc.client_secret": "cs", "web.oidc.client_secret_file": "", "web.oidc.operators": "olga@platform.example",
		"web.users": "[{name: max, role: operator, password_bcrypt: '" + hash(t) + "'}]", "log.level": "error", "log.format": "console",
	}
	var environ []string
	for key := range newLoader().fields {
		value, ok := values[key]
		if !ok {
			t.Errorf("no value for %s", key)
		}
		environ = append(environ, Variable(key)+"="+value)
	}
	got, err := Load("", environ)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Redis: Redis{URL: "redis://h:1/2", Password: secret.New("pw")}, Accounts: Accounts{"redis", "a.yaml", true, true, true, true, List{"10.0.0.0/8", "fd00::/8"}, List{"10.2.0.0/16"}, List{"25"}, 12},
		Secrets: Secrets{List{recipient}, identity, "", true}, Payload: Payload{true}, Messages: Messages{"mail.acme.example", true}, DKIM: got.DKIM, OAuth2: OAuth2{"m", secret.New("ms"), "", "g", secret.New("gs"), ""},
		Worker: Worker{8, 2, 3 * time.Second, 40 * time.Second, "h", ":1"},
		Retry:  Retry{5 * time.Second, 1.5, 0.1, 6 * time.Second, 7 * time.Second, time.Second, 2 * time.Second},
		Limits: Limits{KiB, 9, 12, 3 * KiB, 2 * KiB, 2 * time.Hour, 3 * time.Hour}, Ledger: Ledger{10 * time.Second, true}, ErrorLog: ErrorLog{time.Minute, 11, MiB, true, "de"},
		Notices: Notices{false, 5 * time.Minute, List{"ops@platform.example"}},
		Web: Web{
			"localhost:0", "s", "https://crm.example/mail", "/mail",
			List{"https://crm.example"},
			List{"127.0.0.1", "fd00::/8"},
			secret.New("0123456789abcdef"), "",
			got.Web.Users,
			[]Link{{Issuer: "crm", Secret: secret.New("0123456789abcdef0123456789abcdef"), Tenants: List{"acme"}}},
			ForwardAuth{"X-User", "X-Secret", secret.New("0123456789abcdef"), ""},
			OIDC{"https://login.example", "c", secret.New("cs"), "", List{"olga@platform.example"}},
		},
		Log: Log{"error", "console"},
	}
	same(t, want, got)
	if len(got.DKIM) != 1 || got.DKIM[0].Domain != "platform.example" || got.DKIM[0].Selector != "s1" || got.DKIM[0].Key.IsZero() {
		t.Errorf("DKIM keys %+v", got.DKIM)
	}
	if len(got.Web.Users) != 1 || got.Web.Users[0].Name != "max" || got.Web.Users[0].Role != RoleOperator {
		t.Errorf("users %+v", got.Web.Users)
	}
}

func TestStrict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml    string
		environ []string
		flags   []Override
		want    []string // each in an error line of its own
	}{
		"unknown section":     {yaml: "\n\nweeb: {}", want: []string{"rohrpost.yaml:3: unknown key weeb (did you mean web?)"}},
		"unknown key":         {yaml: "retry:\n  giveup: 1h", want: []string{"rohrpost.yaml:2: unknown key retry.giveup (did you mean retry.give_up?)"}},
		"far from everything": {yaml: "kubernetes: 1", want: []string{"rohrpost.yaml:1: unknown key kubernetes"}},
		"unknown user key":    {yaml: "web:\n  users:\n    - name: max\n      passwort: x", want: []string{"rohrpost.yaml:4: unknown key web.users[0].passwort"}},
		"twice":               {yaml: "log:\n  level: info\n  level: debug", want: []string{"rohrpost.yaml:3: log.level is written twice"}},
		"section twice":       {yaml: "log: {}\nlog: {}", want: []string{"rohrpost.yaml:2: log is written twice"}},
		"no unit":             {yaml: "retry:\n  first: 60", want: []string{`retry.first (rohrpost.yaml:2): "60" is no duration: write 30s, 5m or 24h`}},
		"no size":             {yaml: "limits: {max_message_size: 25MB}", want: []string{`limits.max_message_size (rohrpost.yaml:1): "25MB" is no size`}},
		"no number":           {yaml: "worker: {concurrency: many}", want: []string{`worker.concurrency (rohrpost.yaml:1): "many" is no whole number`}},
		"no float":            {yaml: "retry: {factor: x}", want: []string{`retry.factor (rohrpost.yaml:1): "x" is no number`}},
		"no bool":             {yaml: "errorlog: {show_recipients: yes}", want: []string{`errorlog.show_recipients (rohrpost.yaml:1): "yes" is neither true nor false`}},
		"section as value":    {yaml: "retry: 5", want: []string{"rohrpost.yaml:1: retry must hold keys"}},
		"value as section":    {yaml: "log: {level: {a: b}}", want: []string{"rohrpost.yaml:1: log.level must be a single value"}},
		"users as value":      {yaml: "web: {users: max}", want: []string{"rohrpost.yaml:1: web.users must be a list"}},
		"user as value":       {yaml: "web:\n  users: [max]", want: []string{"rohrpost.yaml:2: web.users[0] must hold keys"}},
		"a list":              {yaml: "- a", want: []string{"rohrpost.yaml:1 must hold keys"}},
		"no YAML":             {yaml: "a: b\n  c: d: e", want: []string{"rohrpost.yaml: line 2"}},
		"two documents":       {yaml: "log: {}\n---\nlog: {}", want: []string{"a second YAML document"}},
		"merge key":           {yaml: "log: &a {level: info}\nretry: {<<: *a}", want: []string{"unknown key retry.<<"}},
		"variable":            {environ: []string{"ROHRPOST_REDIS_ULR=x"}, want: []string{"environment: unknown variable ROHRPOST_REDIS_ULR (did you mean ROHRPOST_REDIS_URL?)"}},
		"variable's value":    {environ: []string{"ROHRPOST_RETRY_FIRST=soon"}, want: []string{`retry.first (ROHRPOST_RETRY_FIRST): "soon" is no duration`}},
		"users variable":      {environ: []string{"ROHRPOST_WEB_USERS=max:pw"}, want: []string{"must be a list"}},
		"users no YAML":       {environ: []string{"ROHRPOST_WEB_USERS=["}, want: []string{"web.users (ROHRPOST_WEB_USERS): cannot be read"}},
		"flag":                {flags: []Override{{"worker.concurency", "1"}}, want: []string{"flag: unknown key worker.concurency (did you mean worker.concurrency?)"}},
		"all at once": {
			yaml: "x_y_z_a_b: 1\nretry: {first: 1, factor: 20}\nlog: {level: loud}\nredis: {password_file: none}", environ: []string{"ROHRPOST_LOG_LEVEL_=x"},
			want: []string{"x_y_z_a_b", "retry.first", "retry.factor (rohrpost.yaml:2)", "log.level (rohrpost.yaml:3)", "redis.password_file (rohrpost.yaml:4)", "ROHRPOST_LOG_LEVEL_"},
		},
		"another user": {
			yaml: "web:\n  users:\n    - {name: max, passwort: x}\n    - {name: eva, role: boss}",
			want: []string{"web.users[0].passwort", "web.users[1].password_bcrypt", "web.users[1].role"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "rohrpost.yaml", tt.yaml)
			_, err := Load(path, tt.environ, tt.flags...)
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""), "\n")
			if len(lines) != len(tt.want) {
				t.Errorf("%d lines, want %d", len(lines), len(tt.want))
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, want) }) {
					t.Errorf("%q, want %q", lines, want)
				}
			}
		})
	}
}

// One setting that is changed alone works: defaults that depend on it follow.
func TestDerived(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]func(*Config){
		"retry: {give_up: 10m}":              func(c *Config) { c.Retry.GiveUp, c.Retry.UncertainPause = 10*time.Minute, 10*time.Minute },
		"retry: {give_up: 168h}":             func(c *Config) { c.Retry.GiveUp, c.Ledger.Keep = 168*time.Hour, 168*time.Hour },
		"retry: {first: 3h}":                 func(c *Config) { c.Retry.First, c.Retry.Max = 3*time.Hour, 3*time.Hour },
		"limits: {max_message_size: 256MiB}": func(c *Config) { c.Limits.MaxMessageSize = 256 * MiB },
		"retry: {give_up: 30s}": func(c *Config) {
			c.Retry.GiveUp, c.Retry.First, c.Retry.GreylistMin, c.Retry.UncertainPause = 30*time.Second, 30*time.Second, 30*time.Second, 30*time.Second
		},
	} {
		got, err := Load(write(t, "rohrpost.yaml", yaml), nil)
		if err != nil {
			t.Errorf("%s: %v", yaml, err)
			continue
		}
		got.Accounts.File = "accounts.yaml"
		c := Default()
		want(&c)
		same(t, c, got)
	}
	_, err := Load(write(t, "rohrpost.yaml", "retry: {give_up: 10m, uncertain_pause: 20m}"), nil)
	if err == nil || !strings.Contains(err.Error(), "retry.uncertain_pause") {
		t.Errorf("what is set stays: %v", err)
	}
}

func TestLenient(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml    string
		environ []string
	}{
		"empty file":               {},
		"comments only":            {yaml: "# nothing\n"},
		"sections without keys":    {yaml: "redis:\nweb:\n  users:\n"},
		"keys without values":      {yaml: "retry:\n  first:\n"},
		"variables of a container": {environ: []string{"ROHRPOST_PORT=tcp://10.0.0.1:80", "ROHRPOST_SERVICE_HOST=10.0.0.1", "ROHRPOST_WEB_SERVICE_PORT_HTTP=80", "ROHRPOST_PORT_80_TCP_ADDR=10.0.0.1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Load(write(t, "rohrpost.yaml", tt.yaml), tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			got.Accounts.File = "accounts.yaml"
			same(t, Default(), got)
		})
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("%v, want the file's name", err)
	}
}
