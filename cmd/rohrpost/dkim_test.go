package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

// TestDKIMKeygen: the file has the key of which the record is printed.
func TestDKIMKeygen(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "ed25519"} {
		path := filepath.Join(t.TempDir(), "key.pem")
		args := []string{"dkim", "keygen", "--type", kind, "--domain", "Bücher.example", "--selector", "s1"}
		r := fine(t, call(t, "", append(args, "-o", path)...))
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		key, err := dkim.ParseKey("bücher.example", "s1", content)
		if err != nil || key.Kind() != kind {
			t.Fatalf("%v, %v", key, err)
		}
		for _, want := range []string{"name   s1._domainkey.xn--bcher-kva.example\n", "value  " + key.Record() + "\n", key.Zone() + "\n"} {
			if !strings.Contains(r.out, want) {
				t.Errorf("no %q in %q", want, r.out)
			}
		}
		if strings.Contains(r.out, "PRIVATE") {
			t.Errorf("the key is printed: %q", r.out)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		// A key that is in use is never overwritten.
		if r := call(t, "", append(args, "-o", path)...); r.code != exitFailed || !strings.Contains(r.err, "exists") {
			t.Errorf("%+v", r)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
			t.Errorf("the file has changed: %v", err)
		}
		// Without a file, all that is printed is one.
		printed := fine(t, call(t, "", args...))
		if key, err := dkim.ParseKey("bücher.example", "s1", []byte(printed.out)); err != nil || !strings.Contains(printed.out, key.Record()) {
			t.Errorf("%q: %v", printed.out, err)
		}
		var shown struct{ Name, Record, Key string }
		if err := json.Unmarshal([]byte(fine(t, call(t, "", append(args, "--json")...)).out), &shown); err != nil {
			t.Fatal(err)
		}
		if key, err := dkim.ParseKey("bücher.example", "s1", []byte(shown.Key)); err != nil || key.Record() != shown.Record || key.Name() != shown.Name {
			t.Errorf("%+v: %v", shown, err)
		}
	}
	for name, args := range map[string][]string{
		"no domain":    {"--selector", "s1"},
		"no selector":  {"--domain", "acme.example"},
		"odd domain":   {"--domain", "acme", "--selector", "s1"},
		"odd selector": {"--domain", "acme.example", "--selector", "s 1"},
		"odd kind":     {"--domain", "acme.example", "--selector", "s1", "--type", "dsa"},
		"argument":     {"--domain", "acme.example", "--selector", "s1", "x"},
	} {
		path := filepath.Join(t.TempDir(), "key.pem")
		if r := call(t, "", append([]string{"dkim", "keygen", "-o", path}, args...)...); r.code != exitUsage || strings.Count(r.err, "\n") != 1 {
			t.Errorf("%s: %+v", name, r)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: there is a file", name)
		}
	}
	if r := call(t, "", "dkim", "keygen", "--domain", "acme.example", "--selector", "s1", "-o", filepath.Join(t.TempDir(), "no", "key.pem")); r.code != exitFailed {
		t.Errorf("no directory: %+v", r)
	}
}
