package redisconn

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/secret"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url  string
		want target
		tls  bool
	}{
		"default":             {url: DefaultURL, want: target{addrs: []string{"127.0.0.1:6379"}}},
		"no port, database":   {url: "redis://host/3", want: target{addrs: []string{"host:6379"}, db: 3}},
		"ipv6":                {url: "redis://[::1]:7000", want: target{addrs: []string{"[::1]:7000"}}},
		"ACL user":            {url: "redis://max:s3cret@host", want: target{addrs: []string{"host:6379"}, username: "max", password: "s3cret"}},
		"encoded password":    {url: "redis://:p%40%2Fw@host", want: target{addrs: []string{"host:6379"}, password: "p@/w"}},
		"TLS":                 {url: "rediss://host", want: target{addrs: []string{"host:6379"}}, tls: true},
		"socket":              {url: "unix://max:pw@/run/redis.sock?db=2", want: target{addrs: []string{"/run/redis.sock"}, username: "max", password: "pw", db: 2}},
		"sentinel":            {url: "redis+sentinel://a,b:7001/main", want: target{addrs: []string{"a:26379", "b:7001"}, master: "main"}},
		"sentinel, all parts": {url: "redis+sentinel://u:p@a:1,[::1]:2/main/4?sentinel_username=su&sentinel_password=sp", want: target{addrs: []string{"a:1", "[::1]:2"}, master: "main", db: 4, username: "u", password: "p", sentinelUsername: "su", sentinelPassword: "sp"}},
		"sentinel TLS":        {url: "rediss+sentinel://a/main", want: target{addrs: []string{"a:26379"}, master: "main"}, tls: true},
		"cluster":             {url: "redis+cluster://:pw@a:1,b", want: target{addrs: []string{"a:1", "b:6379"}, cluster: true, password: "pw"}},
		"cluster, one node":   {url: "redis+cluster://a/0", want: target{addrs: []string{"a:6379"}, cluster: true}},
		"cluster TLS":         {url: "rediss+cluster://a", want: target{addrs: []string{"a:6379"}, cluster: true}, tls: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			if (got.tls != nil) != tt.tls {
				t.Errorf("TLS: %v, want %v", got.tls != nil, tt.tls)
			}
			if got.tls != nil && got.tls.MinVersion != tls.VersionTLS12 {
				t.Errorf("TLS from version %x", got.tls.MinVersion)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(target{}), cmpopts.IgnoreFields(target{}, "tls")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ url, want string }{
		"no URL":               {"localhost:6379", "not a URL"},
		"embedded":             {"embedded:", "rohrpost serve"},
		"embedded, directory":  {"embedded:/var/lib/rohrpost", "rohrpost serve"},
		"embedded, relative":   {"embedded:data", "absolute path"},
		"scheme":               {"http://host", "unknown scheme"},
		"kind":                 {"redis+ring://host", "unknown scheme"},
		"socket with kind":     {"unix+cluster:///x", "unknown scheme"},
		"port":                 {"redis://host:http", "malformed"},
		"database":             {"redis://host/one", `"one"`},
		"parameter":            {"redis://host?pool_size=3", `"pool_size"`},
		"no verification":      {"rediss://host?skip_verify=true", `"skip_verify"`},
		"no socket":            {"unix://", "empty unix socket path"},
		"no master":            {"redis+sentinel://a,b", "name of the master"},
		"sentinel database":    {"redis+sentinel://a/m/x", `"x"`},
		"sentinel parameter":   {"redis+sentinel://a/m?db=1", `"db"`},
		"empty host":           {"redis+sentinel://a,,b/m", "malformed host"},
		"cluster database":     {"redis+cluster://a/1", "database 0 only"},
		"unencoded slash":      {"redis://:12/hunter2@host/0", "percent-encode"},
		"unencoded question":   {"redis://:hun?ter2@host/0", "percent-encode"},
		"unencoded percent":    {"redis://:hunter2%zz@host/0", "percent-encode"},
		"unencoded in cluster": {"redis+cluster://:hunter2#1@host", "percent-encode"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(Options{URL: tt.url})
			if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2") {
				t.Fatalf("not one line, or the password: %v", err)
			}
		})
	}
}

func TestEmbeddedHasAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{EmbeddedURL: "", "embedded:/var/lib/rohrpost": "/var/lib/rohrpost"} {
		if err := Check(url); !errors.Is(err, ErrEmbedded) || !errors.Is(err, ErrURL) {
			t.Errorf("%s: %v", url, err)
		}
		if dir, ok := EmbeddedDir(url); dir != want || !ok {
			t.Errorf("%s: directory %q, %v", url, dir, ok)
		}
	}
	if _, ok := EmbeddedDir(DefaultURL); ok {
		t.Error("a server is embedded")
	}
	if err := Check("embedded:data"); errors.Is(err, ErrEmbedded) {
		t.Errorf("a relative directory: %v", err)
	}
	if err := Check(DefaultURL); err != nil {
		t.Error(err)
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"redis://host:1/0":                         "redis://host:1/0",
		"redis://max:pw@host":                      "redis://max:[redacted]@host",
		"redis://:p@w/x?y@host/0":                  "redis://:[redacted]@host/0",
		"redis://max@host":                         "redis://max@host",
		"redis+sentinel://a/m?sentinel_password=x": "redis+sentinel://a/m?sentinel_password=[redacted]",
		"redis:pw@host":                            "redis:[redacted]@host",
		"":                                         "",
	}
	for raw, want := range tests {
		if got := Redacted(raw); got != want {
			t.Errorf("Redacted(%q) = %q, want %q", raw, got, want)
		}
	}
}

// FuzzParse: whatever the URL, the password stands in no error.
func FuzzParse(f *testing.F) {
	f.Add("redis://:", "@host/0")
	f.Add("redis+sentinel://u:", "@a,b/m/0?sentinel_username=x")
	f.Add("redis+cluster://x:/", "@a:1,b")
	f.Add("unix://:%", "@/run/x")
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "hunter2hunter2"
		if strings.Contains(after, ":") && strings.Contains(after, "@") && strings.Count(after, "@") > 1 {
			t.Skip("more than one @ after the password: part of it is the host")
		}
		if !strings.Contains(before, "://") || !strings.Contains(before, ":") || !strings.HasPrefix(after, "@") {
			t.Skip("no password")
		}
		_, rest, _ := strings.Cut(before, "://")
		if !strings.Contains(rest, ":") {
			t.Skip("a user name")
		}
		if _, err := parse(before + password + after); err != nil && strings.Contains(err.Error(), password) {
			t.Fatalf("password in %q", err)
		}
	})
}

func TestOpenOptions(t *testing.T) {
	t.Parallel()
	client, err := Open(Options{URL: "redis://max:old@127.0.0.1:1/2", Password: secret.New("new"), ClientName: "test", PoolSize: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	o := client.(*redis.Client).Options()
	if o.Username != "max" || o.Password != "new" || o.DB != 2 || o.ClientName != "test" || o.PoolSize != 7 {
		t.Errorf("options: user %s, db %d, name %s, pool %d", o.Username, o.DB, o.ClientName, o.PoolSize)
	}
	if !o.ContextTimeoutEnabled || !o.DisableIdentity || o.DialerRetries != 1 || o.ReadTimeout != ioTimeout || o.MaintNotificationsConfig.Mode != "disabled" {
		t.Errorf("not tuned: %+v", o)
	}
}

func TestOpenKinds(t *testing.T) {
	t.Parallel()
	cluster, err := Open(Options{URL: "redis+cluster://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cluster.Close() }()
	if _, ok := cluster.(*redis.ClusterClient); !ok {
		t.Errorf("one cluster node gives %T", cluster)
	}
	if got := address(cluster); got != "127.0.0.1:1" {
		t.Errorf("address %q", got)
	}
	sentinel, err := Open(Options{URL: "redis+sentinel://127.0.0.1:1/main"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sentinel.Close() }()
	if _, ok := sentinel.(*redis.Client); !ok {
		t.Errorf("sentinel gives %T", sentinel)
	}
}
