package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/transport/compose/wiretest"
)

const previewAccounts = `platform:
  address: noreply@platform.example
  smtp: {host: mail.platform.example, port: 587, username: u, password: pw}
`

// previewing calls send --dry-run with a key for the platform's domain.
func previewing(t *testing.T, in string, args ...string) result {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "s1.pem")
	fine(t, call(t, "", "dkim", "keygen", "--domain", "platform.example", "--selector", "s1", "--type", "ed25519", "--output", key))
	config := filepath.Join(dir, "rohrpost.yaml")
	text := "dkim: [{domain: platform.example, selector: s1, key_file: s1.pem}]\n"
	for path, content := range map[string]string{config: text, filepath.Join(dir, "accounts.yaml"): previewAccounts} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return call(t, in, append([]string{"send", "--dry-run", "--config", config, "--redis", redistest.Start(t).URL()}, args...)...)
}

func TestPreview(t *testing.T) {
	t.Parallel()
	r := fine(t, previewing(t, "", "--to", "kunde@example.org", "--subject", "Grüße", "--html", "<p>Guten <b>Tag</b>", "--category", "marketing"))
	wiretest.Check(t, []byte(r.out), false)
	for _, want := range []string{"DKIM-Signature: ", "d=platform.example", "<noreply@platform.example>", "To: <kunde@example.org>", "Guten Tag", "Precedence: bulk", "@platform.example>"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	for _, want := range []string{"warning: a mail of many that does not say how to unsubscribe", "would leave through platform"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in %s", want, r.err)
		}
	}
}

func TestPreviewOfAWholeMail(t *testing.T) {
	t.Parallel()
	r := fine(t, previewing(t, "From: a@acme.example\nTo: b@example.org\nBcc: c@example.org\nSubject: x\n\nbody\n", "--raw"))
	if !strings.Contains(r.out, "Reply-To: a@acme.example\r\n") || strings.Contains(r.out, "Bcc") || !strings.HasSuffix(r.out, "\r\n\r\nbody\r\n") {
		t.Errorf("%s", r.out)
	}
}

func TestPreviewRefuses(t *testing.T) {
	t.Parallel()
	if r := previewing(t, "", "--to", "a@müller_gmbh.example", "--text", "x", "--header", "References: x"); r.code != exitFailed || r.out != "" ||
		!strings.Contains(r.err, "headers[0].value") {
		t.Errorf("%d: %s%s", r.code, r.out, r.err)
	}
	if r := previewing(t, "Subject: x\n\nbody\n", "--raw"); r.code != exitFailed || !strings.Contains(r.err, "raw: From: missing") {
		t.Errorf("%d: %s%s", r.code, r.out, r.err)
	}
}
