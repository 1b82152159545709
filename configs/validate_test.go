package configs

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/secret"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	bcryptHash := secret.New(hash(t))
	user := func(name, role, tenant string) User {
		return User{Name: name, PasswordBcrypt: bcryptHash, Role: role, Tenant: tenant}
	}
	tests := map[string]struct {
		change func(*Config)
		want   string // "" : valid
	}{
		"defaults":             {change: func(*Config) {}},
		"URL":                  {func(c *Config) { c.Redis.URL = "redis://:hunter2@h:x" }, `redis.url: "redis://:[redacted]@h:x": malformed`},
		"no URL":               {func(c *Config) { c.Redis.URL = "" }, ""},
		"embedded":             {func(c *Config) { c.Redis.URL = "embedded:" }, ""},
		"embedded, directory":  {func(c *Config) { c.Redis.URL = "embedded:/var/lib/rohrpost" }, ""},
		"embedded, relative":   {func(c *Config) { c.Redis.URL = "embedded:data" }, "absolute path"},
		"no accounts":          {func(c *Config) { c.Accounts.File = "" }, "accounts.file: is empty"},
		"accounts in redis":    {func(c *Config) { c.Accounts.File, c.Accounts.Store = "", StoreRedis }, ""},
		"accounts elsewhere":   {func(c *Config) { c.Accounts.Store = "ldap" }, `accounts.store: "ldap" is unknown: write one of file, redis`},
		"network":              {func(c *Config) { c.Accounts.AllowNetworks = List{"10.0.0.1"} }, `accounts.allow_networks: "10.0.0.1" is no network`},
		"denied network":       {func(c *Config) { c.Accounts.DenyNetworks = List{"here"} }, `accounts.deny_networks: "here" is no network`},
		"port":                 {func(c *Config) { c.Accounts.AllowPorts = List{"0"} }, `accounts.allow_ports: "0" is no port`},
		"recipient":            {func(c *Config) { c.Secrets.Recipients = List{"AGE-SECRET-KEY-1HUNTER2"} }, "secrets: secrets.recipients"},
		"no domain of ids":     {func(c *Config) { c.Messages.IDDomain = "vm" }, `messages.id_domain: "vm" is no domain name`},
		"nothing to seal for":  {func(c *Config) { c.Payload.Seal = true }, "payload.seal: is set, and there is no key"},
		"identity":             {func(c *Config) { c.Secrets.Identity = secret.New("hunter2") }, "secrets: secrets.identity_file"},
		"no concurrency":       {func(c *Config) { c.Worker.Concurrency = 0 }, "worker.concurrency: 0 is out of range: 1 to 10000"},
		"no servers":           {func(c *Config) { c.Worker.Servers = -1 }, "worker.servers"},
		"no attempt":           {func(c *Config) { c.Worker.AttemptTimeout = 0 }, "worker.attempt_timeout: 0s"},
		"no shutdown":          {func(c *Config) { c.Worker.ShutdownTimeout = 2 * time.Hour }, "worker.shutdown_timeout: 2h0m0s"},
		"helo":                 {func(c *Config) { c.Worker.Helo = "a\r\nMAIL FROM:<x>" }, "worker.helo"},
		"helo literal":         {func(c *Config) { c.Worker.Helo = "[IPv6:2001:db8::1]" }, ""},
		"worker address":       {func(c *Config) { c.Worker.Addr = "9091" }, `worker.addr: "9091" is no address`},
		"worker address open":  {func(c *Config) { c.Worker.Addr = ":9091" }, ""},
		"no first":             {func(c *Config) { c.Retry.First = 0 }, "retry.first"},
		"shrinking":            {func(c *Config) { c.Retry.Factor = 0.5 }, "retry.factor: 0.5"},
		"factor is NaN":        {func(c *Config) { c.Retry.Factor = math.NaN() }, "retry.factor"},
		"jitter":               {func(c *Config) { c.Retry.Jitter = 0.6 }, "retry.jitter: 0.6 is out of range: 0 to 0.5"},
		"jitter is NaN":        {func(c *Config) { c.Retry.Jitter = math.NaN() }, "retry.jitter"},
		"max below first":      {func(c *Config) { c.Retry.Max = time.Second }, "retry.max"},
		"give up after 8 days": {func(c *Config) { c.Retry.GiveUp, c.Ledger.Keep = 192*time.Hour, 200*time.Hour }, "retry.give_up: 192h0m0s is too long: at most 168h"},
		"give up after 7 days": {func(c *Config) { c.Retry.GiveUp, c.Ledger.Keep = 168*time.Hour, 200*time.Hour }, ""},
		"give up at once":      {func(c *Config) { c.Retry.GiveUp, c.Retry.GreylistMin, c.Retry.UncertainPause = 1, 0, 0 }, "retry.give_up: 1ns is shorter"},
		"greylist":             {func(c *Config) { c.Retry.GreylistMin = 25 * time.Hour }, "retry.greylist_min"},
		"uncertain":            {func(c *Config) { c.Retry.UncertainPause = -1 }, "retry.uncertain_pause"},
		"size":                 {func(c *Config) { c.Limits.MaxMessageSize = GiB }, "limits.max_message_size: 1GiB"},
		"tenant's connections": {func(c *Config) { c.Accounts.MaxConnections = 0 }, "accounts.max_connections"},
		"connections":          {func(c *Config) { c.Limits.ConnectionsPerAccount = 0 }, "limits.connections_per_account"},
		"short memory":         {func(c *Config) { c.Ledger.Keep = time.Hour }, "ledger.keep: 1h0m0s is shorter than retry.give_up 24h0m0s"},
		"retention":            {func(c *Config) { c.ErrorLog.Retention = 0 }, "errorlog.retention"},
		"log bytes":            {func(c *Config) { c.ErrorLog.MaxBytes = KiB }, "errorlog.max_bytes: 1KiB"},
		"waiting mails":        {func(c *Config) { c.Limits.WaitingMailsPerTenant = 0 }, "limits.waiting_mails_per_tenant"},
		"waiting bytes":        {func(c *Config) { c.Limits.WaitingBytesPerTenant = MiB }, "limits.waiting_bytes_per_tenant: 1MiB"},
		"failed bytes":         {func(c *Config) { c.Limits.FailedBytesPerTenant = MiB }, "limits.failed_bytes_per_tenant: 1MiB"},
		"not before":           {func(c *Config) { c.Limits.NotBeforeMax = time.Minute }, "limits.not_before_max"},
		"expires":              {func(c *Config) { c.Limits.ExpiresMax = 0 }, "limits.expires_max"},
		"entries":              {func(c *Config) { c.ErrorLog.MaxEntries = 0 }, "errorlog.max_entries"},
		"language":             {func(c *Config) { c.ErrorLog.Language = "fr" }, `errorlog.language: "fr" is unknown: write one of en, de`},
		"level":                {func(c *Config) { c.Log.Level = "loud" }, "log.level"},
		"format":               {func(c *Config) { c.Log.Format = "xml" }, "log.format"},
		"web address":          {func(c *Config) { c.Web.Addr = "" }, "web.addr"},
		"web port":             {func(c *Config) { c.Web.Addr = "127.0.0.1:65536" }, "web.addr"},
		"web open, no users":   {func(c *Config) { c.Web.Addr = "0.0.0.0:8080" }, "web.addr: 0.0.0.0:8080 can be reached from outside: add web.users"},
		"web open, a socket":   {func(c *Config) { c.Web.Addr, c.Web.Socket = ":8080", "/run/web.sock" }, ""},
		"long socket":          {func(c *Config) { c.Web.Socket = Path("/run/" + strings.Repeat("x", 103)) }, "web.socket: is 108 bytes long"},
		"socket, long enough":  {func(c *Config) { c.Web.Socket = Path("/run/" + strings.Repeat("x", 102)) }, ""},
		"deep socket":          {func(c *Config) { c.Web.Socket = Path("/" + strings.Repeat("x", 94) + "/s") }, "web.socket"},
		"proxy":                {func(c *Config) { c.Web.TrustedProxies = List{"localhost"} }, `web.trusted_proxies: "localhost" is no address`},
		"short metrics token":  {func(c *Config) { c.Web.MetricsToken = secret.New("hunter2") }, "web.metrics_token: is 7 characters long"},
		"web on all, no users": {func(c *Config) { c.Web.Addr = ":8080" }, "web.addr"},
		"web by name":          {func(c *Config) { c.Web.Addr = "mail.example:8080" }, "web.addr"},
		"web on ::1":           {func(c *Config) { c.Web.Addr = "[::1]:8080" }, ""},
		"web open, users": {func(c *Config) {
			c.Web.Addr, c.Web.Users = ":8080", []User{user("o", RoleOperator, ""), user("a", RoleAdmin, "acme"), user("r", RoleReader, "acme")}
		}, ""},
		"public URL":             {func(c *Config) { c.Web.PublicURL = "https://mail.example.com/rohrpost/" }, ""},
		"relative public URL":    {func(c *Config) { c.Web.PublicURL = "mail.example.com" }, "web.public_url: is no absolute http or https URL"},
		"other public URL":       {func(c *Config) { c.Web.PublicURL = "ftp://mail.example.com" }, "web.public_url: is no absolute"},
		"public URL, login":      {func(c *Config) { c.Web.PublicURL = "https://max:hunter2@mail.example.com" }, "web.public_url: must not hold a user name"},
		"public URL, query":      {func(c *Config) { c.Web.PublicURL = "https://mail.example.com/?a=b" }, "web.public_url: must end before"},
		"notices at once":        {func(c *Config) { c.Notices.After = 0 }, "notices.after: 0s is out of range: 1s to 24h"},
		"address of an operator": {func(c *Config) { c.Notices.Operators = List{"olga@platform.example", "olga"} }, "notices.operators[1]"},
		"colon in a name":        {func(c *Config) { c.Web.Users = []User{user("a:b", RoleOperator, "")} }, "web.users[0].name"},
		"same name":              {func(c *Config) { c.Web.Users = []User{user("a", RoleOperator, ""), user("a", RoleOperator, "")} }, `web.users[1].name: "a" is there twice`},
		"role":                   {func(c *Config) { c.Web.Users = []User{user("a", "root", "")} }, `web.users[0].role: "root" is unknown`},
		"address of a user": {func(c *Config) {
			c.Web.Users = []User{{Name: "a", PasswordBcrypt: user("a", "", "").PasswordBcrypt, Role: RoleOperator, Address: "olga"}}
		}, "web.users[0].address"},
		"operator with a tenant": {func(c *Config) { c.Web.Users = []User{user("a", RoleOperator, "acme")} }, "web.users[0].tenant"},
		"admin without":          {func(c *Config) { c.Web.Users = []User{user("a", RoleAdmin, "")} }, "web.users[0].tenant: is empty: name the tenant of this admin"},
		"reader without":         {func(c *Config) { c.Web.Users = []User{user("a", RoleReader, "")} }, "web.users[0].tenant"},
		"password in clear": {func(c *Config) {
			c.Web.Users = []User{{Name: "a", Role: RoleOperator, PasswordBcrypt: secret.New("hunter2")}}
		}, "web.users[0].password_bcrypt: must be a bcrypt hash"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Default()
			tt.change(&c)
			err := c.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			case err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("more than one problem, or a secret: %v", err)
			}
		})
	}
}

func TestValidationNamesThePlace(t *testing.T) {
	t.Parallel()
	path := write(t, "rohrpost.yaml", "retry:\n  jitter: 0.9\nweb:\n  users:\n    - name: max\n      role: admin\n")
	_, err := Load(path, []string{"ROHRPOST_LOG_FORMAT=xml"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"retry.jitter (" + path + ":2): 0.9",
		"log.format (ROHRPOST_LOG_FORMAT): \"xml\"",
		"web.users[0].tenant (" + path + ":5): is empty",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestNotices: who gets the operators' notices, and what is warned of.
func TestNotices(t *testing.T) {
	t.Parallel()
	c := Default()
	if w := c.Notices.Warnings(c.Web); w != nil {
		t.Errorf("nobody signs in: %q", w)
	}
	for name, role := range map[string]string{"olga": RoleOperator, "otto": RoleOperator, "anna": RoleAdmin} {
		c.Web.Users = append(c.Web.Users, User{Name: name, Role: role, Address: name + "@platform.example"})
	}
	c.Web.Users = append(c.Web.Users, User{Name: "nobody", Role: RoleOperator})
	got := c.Notices.Addresses(c.Web.Users)
	slices.Sort(got)
	if want := []string{"olga@platform.example", "otto@platform.example"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if w := c.Notices.Warnings(c.Web); len(w) != 1 || !strings.Contains(w[0], "web.public_url") {
		t.Errorf("%q", w)
	}
	c.Web.PublicURL, c.Notices.Operators = "https://mail.example.com", List{"ops@platform.example"}
	if got := c.Notices.Addresses(c.Web.Users); !slices.Equal(got, c.Notices.Operators) {
		t.Errorf("%q", got)
	}
	if w := c.Notices.Warnings(c.Web); w != nil {
		t.Errorf("%q", w)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change      func(*Config)
		web, worker bool
	}{
		"defaults":               {func(*Config) {}, false, false},
		"open":                   {func(c *Config) { c.Web.Addr, c.Worker.Addr = "0.0.0.0:8080", ":9091" }, true, true},
		"open, IPv6":             {func(c *Config) { c.Web.Addr, c.Worker.Addr = "[::]:8080", "[2001:db8::1]:9091" }, true, true},
		"this machine":           {func(c *Config) { c.Web.Addr, c.Worker.Addr = "[::1]:8080", "localhost:9091" }, false, false},
		"behind a proxy":         {func(c *Config) { c.Web.Addr, c.Web.TrustedProxies = ":8080", List{"10.0.0.1"} }, false, false},
		"open, but on a socket":  {func(c *Config) { c.Web.Addr, c.Web.Socket = ":8080", "s" }, false, false},
		"worker open, a token":   {func(c *Config) { c.Worker.Addr, c.Web.MetricsToken = ":9091", secret.New("x") }, false, false},
		"worker open, no token":  {func(c *Config) { c.Worker.Addr = "192.0.2.1:9091" }, false, true},
		"worker listens nowhere": {func(c *Config) { c.Worker.Addr = "" }, false, false},
	}
	for name, tt := range tests {
		c := Default()
		tt.change(&c)
		if got := len(c.Web.Warnings()) == 1; got != tt.web {
			t.Errorf("%s: web: %q", name, c.Web.Warnings())
		}
		if got := len(c.Worker.Warnings(c.Web)) == 1; got != tt.worker {
			t.Errorf("%s: worker: %q", name, c.Worker.Warnings(c.Web))
		}
	}
}
