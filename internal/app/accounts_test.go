package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func operator() redisstore.Actor { return redisstore.Actor{Name: "olga", Role: redisstore.Operator} }

// inRedis changes a configuration to accounts in Redis, with a key.
func inRedis(t *testing.T, cfg *configs.Config) {
	t.Helper()
	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Accounts.Store, cfg.Secrets.Identity = configs.StoreRedis, identity
}

// openTestAccounts opens the configured accounts, with a Redis that is closed in the end.
func openTestAccounts(t *testing.T, cfg configs.Config) *engine.Accounts {
	t.Helper()
	rdb, err := OpenRedis(cfg, "test", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	opened, err := OpenAccounts(cfg, rdb, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func settings(server *smtptest.Server, address string) *resolver.Entry {
	return &resolver.Entry{Account: &resolver.Settings{
		Address: address, SMTP: &resolver.SMTPSettings{Host: "127.0.0.1", Port: server.Port(), Encryption: "none"},
	}}
}

func put(t *testing.T, opened *engine.Accounts, p resolver.Place, version int64, e *resolver.Entry) {
	t.Helper()
	store, err := opened.Store()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), operator(), p, version, e); err != nil {
		t.Fatal(err)
	}
}

// TestAccountsInRedis: a worker uses what stands there, and what an administrator
// changes, from the next mail on.
func TestAccountsInRedis(t *testing.T) {
	t.Parallel()
	cfg, server, mail := setUp(t)
	inRedis(t, &cfg)
	opened := openTestAccounts(t, cfg)
	put(t, opened, resolver.Place{}, 0, settings(server, "first@platform.example"))
	startApp(t, cfg, Roles{Worker: true})
	accept(t, mail, "before")
	if got := server.Mails()[0].ReversePath; got != "first@platform.example" {
		t.Errorf("reverse-path %s", got)
	}
	put(t, opened, resolver.Place{}, 1, settings(server, "second@platform.example"))
	deadline := time.Now().Add(20 * time.Second)
	for n := 0; ; n++ {
		accept(t, mail, fmt.Sprintf("after%d", n))
		mails := server.Mails()
		if mails[len(mails)-1].ReversePath == "second@platform.example" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the changed account is not used")
		}
	}
}

// TestParkedAndReleased: a refused login parks the account and its mail waits; a
// green test mail of another process lets it go.
func TestParkedAndReleased(t *testing.T) {
	t.Parallel()
	cfg, _, mail := setUp(t)
	inRedis(t, &cfg)
	opened := openTestAccounts(t, cfg)
	locked := smtptest.Start(t, smtptest.Options{Username: "noreply@platform.example", Password: "hunter2"})
	locked.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 not yet"))
	e := settings(locked, "noreply@platform.example")
	e.Account.SMTP.Password, e.Account.SMTP.AllowPlaintextLogin = resolver.NewSecret("hunter2"), true
	put(t, opened, resolver.Place{}, 0, e)
	startApp(t, cfg, Roles{Worker: true})
	attempted := func(id string) rohrpost.State {
		t.Helper()
		if _, err := mail.Send(t.Context(), rohrpost.Message{ID: id, To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"}); err != nil {
			t.Fatal(err)
		}
		var state rohrpost.State
		until(t, "an attempt", func() bool {
			st, err := mail.Status(t.Context(), id)
			state = st.State
			return err == nil && (state == rohrpost.Parked || state == rohrpost.Accepted)
		})
		return state
	}
	for _, id := range []string{"one", "two"} {
		if state := attempted(id); state != rohrpost.Parked {
			t.Errorf("%s is %s", id, state)
		}
	}
	if err := opened.Load(t.Context()); err != nil || len(opened.States()) != 1 || locked.Count(smtptest.AUTH) != 1 {
		t.Errorf("%v: parked %v, %d logins", err, opened.States(), locked.Count(smtptest.AUTH))
	}
	locked.On(smtptest.AUTH, smtptest.Answer{})
	r, err := opened.TestMail(t.Context(), accounts.Try{Who: operator(), To: rohrpost.Address{Address: "anna@platform.example"}})
	if err != nil || !r.Accepted {
		t.Fatal(r, err)
	}
	n := 0
	until(t, "the worker to hear of it", func() bool { n++; return attempted(fmt.Sprintf("after%d", n)) == rohrpost.Accepted })
}

// until waits for something that another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestIdleTokens: a worker that starts uses refresh tokens that nobody used for
// a week, and parks the account of one that has ended.
func TestIdleTokens(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	inRedis(t, &cfg)
	opened := openTestAccounts(t, cfg)
	srv := oauthtest.Start(t, oauthtest.Options{ClientID: "platform-app"})
	cfg.OAuth2.GoogleClientID = "platform-app"
	token := srv.Connect("noreply@platform.example")
	srv.Revoke(token)
	put(t, opened, resolver.Place{}, 0, &resolver.Entry{Account: &resolver.Settings{
		Address: "noreply@platform.example", OAuth2: &resolver.OAuth2Settings{
			Provider: resolver.Google, RefreshToken: resolver.NewSecret(token), Endpoints: &resolver.Endpoints{Token: srv.TokenURL()},
		},
	}})
	startApp(t, cfg, Roles{Worker: true})
	until(t, "the account to be parked", func() bool {
		if err := opened.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := opened.States()
		return len(n) == 1 && n[0].Subject == "platform" && n[0].Category == "oauth_expired"
	})
}

// TestGuardByConfiguration: what tenants enter is dialed only where the operator
// allows it.
func TestGuardByConfiguration(t *testing.T) {
	t.Parallel()
	cfg, server, _ := setUp(t)
	inRedis(t, &cfg)
	acme := resolver.Place{Tenant: "acme"}
	put(t, openTestAccounts(t, cfg), acme, 0, settings(server, "info@acme.example"))
	port := configs.List{fmt.Sprint(server.Port())}
	for name, test := range map[string]struct {
		networks, ports configs.List
		want            bool
	}{
		"as it comes":      {nil, cfg.Accounts.AllowPorts, false},
		"the network":      {configs.List{"127.0.0.0/8"}, cfg.Accounts.AllowPorts, false},
		"the port":         {nil, port, false},
		"network and port": {configs.List{"127.0.0.0/8"}, port, true},
	} {
		cfg.Accounts.AllowNetworks, cfg.Accounts.AllowPorts = test.networks, test.ports
		before := server.Sessions()
		r, err := openTestAccounts(t, cfg).TestMail(t.Context(), accounts.Try{Who: operator(), Place: acme, To: rohrpost.Address{Address: "anna@acme.example"}})
		if err != nil || r.Accepted != test.want || (server.Sessions() > before) != test.want {
			t.Errorf("%s: %+v, %v, %d connections", name, r, err, server.Sessions()-before)
		}
	}
}

// TestPolicyByConfiguration: S1, S2.
func TestPolicyByConfiguration(t *testing.T) {
	t.Parallel()
	cfg, server, _ := setUp(t)
	inRedis(t, &cfg)
	acme := resolver.Place{Tenant: "acme"}
	put(t, openTestAccounts(t, cfg), acme, 0, settings(server, "info@acme.example"))
	for state, demand := range map[string]configs.Accounts{
		"active": {}, "locked": {RequireUnlock: true}, "entered": {RequireCheck: true}, "checked": {RequireApproval: true},
	} {
		changed := cfg
		changed.Accounts.RequireUnlock, changed.Accounts.RequireCheck, changed.Accounts.RequireApproval = demand.RequireUnlock, demand.RequireCheck, demand.RequireApproval
		if i, err := openTestAccounts(t, changed).Item(t.Context(), acme); err != nil || i.State != state {
			t.Errorf("%+v, %v, not %s", i, err, state)
		}
	}
}

// TestOpenAccountsFails names the setting, and shows no secret.
func TestOpenAccountsFails(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	rdb, err := OpenRedis(cfg, "test", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	empty := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(empty, []byte("platform: {smpt: {}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for word, change := range map[string]func(*configs.Config){
		"nowhere.yaml":          func(c *configs.Config) { c.Accounts.File = "nowhere.yaml" },
		"smpt":                  func(c *configs.Config) { c.Accounts.File = configs.Path(empty) },
		"secrets.identity_file": func(c *configs.Config) { c.Secrets.Identity = resolver.NewSecret("hunter2") },
		"secrets.recipients": func(c *configs.Config) {
			c.Secrets.Recipients = configs.List{"age1x"}
			c.Accounts.Store = configs.StoreRedis
		},
		"is no network": func(c *configs.Config) { c.Accounts.AllowNetworks = configs.List{"10.1"} },
		"is no port":    func(c *configs.Config) { c.Accounts.AllowPorts = configs.List{"smtp"} },
	} {
		changed := cfg
		change(&changed)
		if _, err := OpenAccounts(changed, rdb, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", word, err)
		}
	}
}
