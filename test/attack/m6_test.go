package attack

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// said are the canaries of one mail: each in a place that says what the mail says.
func said() []string {
	return []string{
		"canary-subject", "canary-text", "canary-long-text", "canary-html", "canary-header", "canary-file-name", "canary-file-content", "canary-inline",
	}
}

// TestM6ReadRedis: who reads Redis, or its files, reads no mail.
func TestM6ReadRedis(t *testing.T) {
	t.Parallel()
	relay := smtptest.Start(t, smtptest.Options{})
	s := newSite(t, "secrets: {identity_file: key.txt}\npayload: {seal: true}\n", redistest.AOF())
	s.write("key.txt", s.run("", "keygen"))
	s.write("accounts.yaml", fmt.Sprintf("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}\n", relay.Port()))
	s.write("canary-file-name.txt", "canary-file-content")
	s.write("inline.png", "canary-inline")
	rdb := s.redis.Client(t)
	if err := rdb.ConfigSet(t.Context(), "aof-use-rdb-preamble", "no").Err(); err != nil {
		t.Fatal(err)
	}
	send := func(id, text string) {
		s.run("", "send", "--id", id, "--tenant", "acme", "--to", "kunde@example.org", "--subject", "canary-subject", "--text", text,
			"--html", `<p>canary-html <img src="cid:canary-inline">`, "--header", "X-Note: canary-header",
			"--attach", "canary-file-name.txt", "--inline", "canary-inline=inline.png")
	}
	send("short", "canary-text")
	send("long", strings.Repeat("canary-long-text ", 4000))
	unread := func(when string) {
		t.Helper()
		var all bytes.Buffer
		for _, key := range rdb.Keys(t.Context(), "*").Val() {
			all.WriteString(rdb.Dump(t.Context(), key).Val())
		}
		files := 0
		folder := rdb.ConfigGet(t.Context(), "dir").Val()["dir"]
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !strings.Contains(path, "appendonly") {
				return err
			}
			b, err := os.ReadFile(path)
			all.Write(b)
			files++
			return err
		})
		if err != nil || files == 0 || !bytes.Contains(all.Bytes(), []byte("kunde@example.org")) {
			t.Fatalf("%s: %d files of the AOF, %v; the recipient stands in none", when, files, err)
		}
		for _, canary := range said() {
			if bytes.Contains(all.Bytes(), []byte(canary)) || bytes.Contains(all.Bytes(), []byte(base64.StdEncoding.EncodeToString([]byte(canary))[:12])) {
				t.Errorf("%s: Redis shows %s", when, canary)
			}
		}
	}
	unread("enqueued")

	// A worker without the key lets them wait, and says why.
	keyless := s.start("worker", "ROHRPOST_SECRETS_IDENTITY_FILE=", "ROHRPOST_PAYLOAD_SEAL=false")
	waitFor(t, "the error log says that the key is missing", func() bool {
		return strings.Contains(s.run("", "errors", "list", "--tenant", "acme", "--json"), "has no key to it")
	})
	if relay.Taken() != 0 {
		t.Error("mails have left that nobody can read")
	}
	keyless.end(t)
	unread("deferred")

	worker := s.start("worker")
	for _, id := range []string{"short", "long"} { // the operator's way, as in the dashboard: no key is needed
		s.run("", "reschedule", id, "+1s")
	}
	waitFor(t, "the mails have left", func() bool { return relay.Taken() == 2 })
	var bodies []byte
	for _, m := range relay.Mails() {
		bodies = append(bodies, m.Body...)
	}
	for _, canary := range said() {
		if !bytes.Contains(bodies, []byte(canary)) && !bytes.Contains(bodies, []byte(base64.StdEncoding.EncodeToString([]byte(canary))[:12])) {
			t.Errorf("%s is not in the mails", canary)
		}
	}
	unread("sent")
	for _, text := range []string{worker.said.String(), keyless.said.String(), s.run("", "errors", "list", "--json"), s.run("", "status", "short", "--json")} {
		if strings.Contains(text, "canary") {
			t.Errorf("a mail is quoted: %s", text)
		}
	}
}
