package attack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// m2Settings are about a megabyte of settings each, of the kinds that parsers fear.
func m2Settings() map[string]string {
	const size = 1<<20 - 4<<10
	keys := growthtest.Keys(size)
	all := map[string]string{
		"unknown keys":    "{" + keys + "}",
		"nested keys":     `{"account":{"smtp":{` + keys + "}}}",
		"20,000 keys":     "{" + growthtest.Keys(20_000*12) + "}",
		"same key":        "{" + strings.TrimSuffix(strings.Repeat(`"a":1,`, size/6), ",") + "}",
		"deep objects":    strings.Repeat(`{"account":`, 5000) + "1" + strings.Repeat("}", 5000),
		"deep lists":      `{"aliases":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}",
		"long list":       `{"aliases":[` + strings.TrimSuffix(strings.Repeat("1,", size/2), ",") + "]}",
		"long host":       `{"smtp":{"host":"` + strings.Repeat("x", size) + `"}}`,
		"long key":        `{"` + strings.Repeat("x", size) + `":1}`,
		"escapes":         `{"name":"` + strings.Repeat(`ü`, size/6) + `"}`,
		"wide logo":       `{"branding":{"logo":"` + strings.Repeat("A", size) + `"}}`,
		"spaces":          `{"name":` + strings.Repeat(" ", size) + "1}",
		"many addresses":  `{"address":"` + strings.Repeat("a@b", size/3) + `"}`,
		"line separators": `{"name":"` + strings.Repeat("\u2028", size/3) + `"}`,
	}
	return all
}

// TestM2HostileSettings: a megabyte of anything is answered in under a second, with a
// problem that can be read.
func TestM2HostileSettings(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, fmt.Sprintf("web: {users: [{name: olga, password_bcrypt: %q, role: operator}]}\n", hash))
	s.write("accounts.yaml", "{platform: {address: p@p.example, smtp: {host: p.example}}}")
	w := s.start("web")
	n := 0
	for name, settings := range m2Settings() {
		n++ // tenants: each may try six times a minute
		body := fmt.Sprintf(`{"tenant":"t%d","to":"o@p.example","settings":%s}`, n, settings)
		if !json.Valid([]byte(body)) {
			t.Fatalf("%s is no JSON", name)
		}
		status, text, took := m2Post(t, w, body)
		for range 3 { // a neighbour on this machine is not to blame
			if took > time.Second {
				status, text, took = m2Post(t, w, body)
			}
		}
		if took > time.Second {
			t.Errorf("%s: answered after %v", name, took)
		}
		if status != http.StatusBadRequest || len(text) > 32<<10 {
			t.Errorf("%s: %d, %d bytes: %.300s", name, status, len(text), text)
		}
	}
}

// TestM2LimiterFirst: who has tried too often is told so, whatever he sends.
func TestM2LimiterFirst(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, fmt.Sprintf("web: {users: [{name: olga, password_bcrypt: %q, role: operator}]}\n", hash))
	s.write("accounts.yaml", "{platform: {address: p@p.example, smtp: {host: p.example}}}")
	w := s.start("web")
	body := `{"tenant":"acme","to":"o@p.example","settings":{"unknown":1}}`
	for range 6 {
		m2Post(t, w, body)
	}
	if status, text, _ := m2Post(t, w, body); status != http.StatusTooManyRequests {
		t.Errorf("the seventh try: %d %s", status, text)
	}
}

func m2Post(t *testing.T, w *process, body string) (status int, text string, took time.Duration) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.addr+"/api/accounts/test", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("olga", "pw")
	req.Header.Set("Content-Type", "application/json")
	start := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), time.Since(start)
}
