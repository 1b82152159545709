package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// hunter2 is a password that must be seen nowhere.
const hunter2 = "canary-hunter2"

// TestMain makes this process trust the certificate of net/http/httptest, which
// all scripted servers here have: commands know no other authorities than those
// of the system.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	dir, err := os.MkdirTemp("", "rohrpost-roots")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"SSL_CERT_FILE": file, "SSL_CERT_DIR": dir} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// trusted is a server with a certificate that this process trusts.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

// An office has its accounts in a Redis of its own, and a key that seals them.
type office struct {
	*testing.T
	redis   *redistest.Server
	folder  string
	environ map[string]string
	ports   []string
}

// openOffice makes an office whose tenants may reach this machine, at the ports
// that admit is told.
func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, redis: redistest.Start(t), folder: t.TempDir(), environ: map[string]string{}}
	key := o.path("key")
	fine(t, call(t, "", "keygen", "-o", key))
	o.environ = map[string]string{
		"USER": "olga", "ROHRPOST_REDIS_URL": o.redis.URL(), "ROHRPOST_ACCOUNTS_STORE": "redis",
		"ROHRPOST_SECRETS_IDENTITY_FILE": key, "ROHRPOST_ACCOUNTS_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
	}
	return o
}

// admit lets tenants use ports of this machine.
func (o *office) admit(ports ...int) {
	for _, p := range ports {
		o.ports = append(o.ports, fmt.Sprint(p))
	}
	o.environ["ROHRPOST_ACCOUNTS_ALLOW_PORTS"] = "25,465,587,588,2525," + strings.Join(o.ports, ",")
}

// set stores an account.
func (o *office) set(input string, place ...string) {
	o.Helper()
	o.fine(input, append([]string{"account", "set"}, place...)...)
}

func (o *office) path(name string) string { return filepath.Join(o.folder, name) }

// write makes a file and answers with its path.
func (o *office) write(name, text string) string {
	o.Helper()
	if err := os.WriteFile(o.path(name), []byte(text), 0o600); err != nil {
		o.Fatal(err)
	}
	return o.path(name)
}

// call runs a command line in the office.
func (o *office) call(input string, args ...string) result {
	o.Helper()
	var out, errs bytes.Buffer
	code := run(o.Context(), args, streams{in: strings.NewReader(input), out: &out, err: &errs}, o.environment())
	if strings.Contains(out.String()+errs.String(), hunter2) {
		o.Errorf("%v shows a password: %s%s", args, out.String(), errs.String())
	}
	return result{code, out.String(), errs.String()}
}

func (o *office) environment() []string {
	var environ []string
	for name, value := range o.environ {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// fine is call for what must succeed.
func (o *office) fine(input string, args ...string) string {
	o.Helper()
	return fine(o.T, o.call(input, args...)).out
}

// json is fine, decoded.
func (o *office) json(input string, args ...string) map[string]any {
	o.Helper()
	return decoded(o.T, o.fine(input, append(args, "--json")...))
}

// refused wants an exit code, nothing on stdout, and one line on stderr that has
// the words.
func (o *office) refused(code int, input string, args []string, words ...string) {
	o.Helper()
	refused(o.T, o.call(input, args...), code, words...)
}

func refused(t *testing.T, r result, code int, words ...string) {
	t.Helper()
	if r.code != code || r.out != "" || strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "rohrpost: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", r.code, r.out, r.err)
	}
	for _, word := range words {
		if !strings.Contains(r.err, word) {
			t.Errorf("%q is not in %q", word, r.err)
		}
	}
}

func decoded(t *testing.T, line string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(line), &v); err != nil || strings.Count(line, "\n") != 1 {
		t.Fatalf("%q: %v", line, err)
	}
	return v
}

// dump is all of Redis, but for the counters of tests.
func (o *office) dump() map[string]string {
	o.Helper()
	rdb := o.redis.Client(o.T)
	all := map[string]string{}
	for _, key := range rdb.Keys(o.Context(), "*").Val() {
		if !strings.HasPrefix(key, "rohrpost:doctor:") {
			all[key] = rdb.Dump(o.Context(), key).Val()
		}
	}
	return all
}

// values is what stands in Redis, as text.
func (o *office) values() string {
	o.Helper()
	rdb := o.redis.Client(o.T)
	var b strings.Builder
	for _, key := range rdb.Keys(o.Context(), "*").Val() {
		switch rdb.Type(o.Context(), key).Val() {
		case "hash":
			fmt.Fprintln(&b, key, rdb.HGetAll(o.Context(), key).Val())
		case "stream":
			fmt.Fprintln(&b, key, rdb.XRange(o.Context(), key, "-", "+").Val())
		case "set":
			fmt.Fprintln(&b, key, rdb.SMembers(o.Context(), key).Val())
		default:
			fmt.Fprintln(&b, key, rdb.Get(o.Context(), key).Val())
		}
	}
	return b.String()
}

// sealedOf is the sealed text of a secret.
func sealedOf(t *testing.T, rdb redis.UniversalClient, key, field, secret string) string {
	t.Helper()
	var record struct {
		Secrets map[string]string `json:"secrets"`
	}
	if err := json.Unmarshal([]byte(rdb.HGet(t.Context(), key, field).Val()), &record); err != nil {
		t.Fatal(err)
	}
	return record.Secrets[secret]
}

// mailServer wants a login with the password, without encryption.
func mailServer(t *testing.T, username string) *smtptest.Server {
	t.Helper()
	return smtptest.Start(t, smtptest.Options{Username: username, Password: hunter2})
}

// account is settings for a mail server as YAML, which may have more keys.
func account(server *smtptest.Server, address string, more ...string) string {
	return fmt.Sprintf("{address: %s, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, password: %s}%s}",
		address, server.Port(), hunter2, strings.Join(append([]string{""}, more...), ", "))
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
