package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestKeyWarning names the missing key before the first mail finds it out.
func TestKeyWarning(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	for name, tt := range map[string]struct {
		change func(*configs.Config)
		roles  Roles
		want   bool
	}{
		"redis, no key":       {func(c *configs.Config) { c.Accounts.Store = configs.StoreRedis }, Roles{Worker: true}, true},
		"redis, key":          {func(c *configs.Config) { inRedis(t, c) }, Roles{Worker: true}, false},
		"redis, pages only":   {func(c *configs.Config) { c.Accounts.Store = configs.StoreRedis }, Roles{Web: true}, false},
		"file without OAuth2": {func(c *configs.Config) { c.Accounts.File = example(t, "smtp: {host: h.example}") }, Roles{Worker: true}, false},
		"file with OAuth2":    {func(c *configs.Config) { c.Accounts.File = example(t, "oauth2: {provider: google, refresh_token: x}") }, Roles{Worker: true}, true},
		"file, OAuth2 and key": {func(c *configs.Config) {
			inRedis(t, c)
			c.Accounts.Store, c.Accounts.File = configs.StoreFile, example(t, "oauth2: {provider: google, refresh_token: x}")
		}, Roles{Worker: true}, false},
	} {
		cfg := configs.Default()
		cfg.Redis.URL = url
		tt.change(&cfg)
		a, err := New(Options{Config: cfg, Roles: tt.roles})
		if err != nil {
			t.Fatal(err)
		}
		if a.redis, err = OpenRedis(cfg, "test", 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.redis.Close() })
		e, err := a.newEngine()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Contains(strings.Join(e.Warnings(), "\n"), "keygen")
		if got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// example is an accounts file whose platform has these settings.
func example(t *testing.T, settings string) configs.Path {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.yaml")
	if err := os.WriteFile(path, []byte("platform: {address: a@platform.example, "+settings+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return configs.Path(path)
}
