package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A result is what a command line did.
type result struct {
	code     int
	out, err string
}

// call runs a command line with standard input.
func call(t *testing.T, input string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, streams{in: strings.NewReader(input), out: &out, err: &errs}, nil)
	return result{code, out.String(), errs.String()}
}

// fine fails the test unless the command was done.
func fine(t *testing.T, r result) result {
	t.Helper()
	if r.code != exitDone {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	return r
}

func TestSendStatusCancel(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	r := fine(t, call(t, "", "send", "--redis", url, "--json", "--tenant", "acme", "--to", "Kunde <kunde@example.org>", "--subject", "Test",
		"--text", "Hallo", "--id", "invoice-4711", "--meta", "invoice=4711", "--not-before", "1h"))
	var receipt rohrpost.Receipt
	if err := json.Unmarshal([]byte(r.out), &receipt); err != nil || receipt.ID != "invoice-4711" || receipt.MessageID != "" {
		t.Fatalf("receipt %q: %v", r.out, err)
	}
	r = call(t, "", "send", "--redis", url, "--to", "kunde@example.org", "--tenant", "acme", "--text", "x", "--id", "invoice-4711")
	if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, `job "invoice-4711" was sent before with another to, subject, text, metadata`) {
		t.Errorf("sending another mail under its id: %d, %q, %q", r.code, r.out, r.err)
	}
	r = call(t, `{"id":"invoice-4711","tenant":"acme","to":[{"address":"a@example.org"}],"text":"x"}`, "send", "--redis", url, "--batch")
	if r.code != exitFailed || !strings.Contains(r.out, "another mail has this id") {
		t.Errorf("sending another mail in a batch: %d, %q", r.code, r.out)
	}
	r = fine(t, call(t, "", "send", "--redis", url, "--tenant", "acme", "--to", "Kunde <kunde@example.org>", "--subject", "Test",
		"--text", "Hallo", "--id", "invoice-4711", "--meta", "invoice=4711"))
	if !strings.Contains(r.out, "known already") {
		t.Errorf("sending again: %q", r.out)
	}
	r = fine(t, call(t, "", "status", "--redis", url, "--json", "invoice-4711"))
	var st rohrpost.Status
	if err := json.Unmarshal([]byte(r.out), &st); err != nil || st.State != rohrpost.Scheduled || st.Recipients[0].Address != "kunde@example.org" {
		t.Errorf("status %q: %v", r.out, err)
	}
	for _, word := range []string{"scheduled", "kunde@example.org", "invoice = 4711"} {
		if r := fine(t, call(t, "", "status", "--redis", url, "invoice-4711")); !strings.Contains(r.out, word) {
			t.Errorf("%q is not in %q", word, r.out)
		}
	}
	fine(t, call(t, "", "cancel", "--redis", url, "invoice-4711"))
	if r := call(t, "", "cancel", "--redis", url, "invoice-4711"); r.code != exitFailed || !strings.Contains(r.err, "has ended") {
		t.Errorf("canceling twice: %+v", r)
	}
	if r := call(t, "", "status", "--redis", url, "nobody"); r.code != exitFailed || !strings.Contains(r.err, "no such job") {
		t.Errorf("unknown job: %+v", r)
	}
}

func TestSendJSON(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	good := `{"tenant":"acme","to":[{"address":"kunde@example.org"}],"subject":"Test","text":"Hallo"}`
	r := fine(t, call(t, good, "send", "--redis", url, "--json"))
	if !strings.HasPrefix(r.out, `{"id":"`) || strings.Count(r.out, "\n") != 1 {
		t.Errorf("receipt %q", r.out)
	}
	for name, input := range map[string]string{
		"no JSON": "hello", "unknown field": `{"too":[]}`, "empty": "", "no recipients": `{"text":"x"}`,
		"line break": `{"to":[{"address":"a@b.example"}],"subject":"a\nBcc: x","text":"x"}`,
	} {
		if r := call(t, input, "send", "--redis", url); r.code != exitFailed || r.out != "" || strings.TrimSpace(r.err) == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestSendBatch(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	input := `{"id":"one","to":[{"address":"a@example.org"}],"text":"x"}
no json

{"id":"two","text":"no recipient"}
{"id":"three","to":["b@example.org"],"text":"x"}
`
	r := call(t, input, "send", "--redis", url, "--batch")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if r.code != exitFailed || len(lines) != 4 || !strings.Contains(r.err, "2 messages were not accepted") {
		t.Fatalf("%+v", r)
	}
	for i, want := range []string{`"id":"one"`, `"line":2`, `"line":4`, `"id":"three"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %q has no %s", i+1, lines[i], want)
		}
	}
}

func TestErrorsCommands(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	if r := fine(t, call(t, "", "errors", "list", "--redis", url)); !strings.Contains(r.out, "no failed attempts") {
		t.Errorf("empty log: %q", r.out)
	}
	file := filepath.Join(t.TempDir(), "errors.csv")
	fine(t, call(t, "", "errors", "export", "--redis", url, "--format", "csv", "-o", file))
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "\uFEFFtime,tenant,") {
		t.Errorf("export %q: %v", text, err)
	}
	if r := call(t, "", "errors", "export", "--redis", url, "--format", "xml"); r.code != exitUsage {
		t.Errorf("unknown format: %+v", r)
	}
}

// TestFullDisk: the file that was there stays, and no half one appears.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("no /dev/full on this system")
	}
	defer func() { _ = full.Close() }()
	url := redistest.Start(t).URL()
	var errs bytes.Buffer
	code := run(t.Context(), []string{"errors", "export", "--redis", url}, streams{out: full, err: &errs}, nil)
	if code != exitFailed || !strings.Contains(errs.String(), "no space left") || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit %d: %q", code, errs.String())
	}
}

func TestConfigCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("accounts.yaml", "platform: {address: a@b.example, smtp: {host: mail.b.example}}\n")
	good := write("good.yaml", "redis: {password: hunter2}\n")
	if r := fine(t, call(t, "", "config", "check", "-c", good)); !strings.Contains(r.out, "fine") {
		t.Errorf("check: %q", r.out)
	}
	if r := fine(t, call(t, "", "config", "show", "-c", good)); strings.Contains(r.out, "hunter2") || !strings.Contains(r.out, "give_up: 24h") {
		t.Errorf("show: %q", r.out)
	}
	bad := write("bad.yaml", "web:\n  adr: x\n")
	if r := call(t, "", "config", "check", "-c", bad); r.code != exitFailed || !strings.Contains(r.err, "bad.yaml:2") || !strings.Contains(r.err, "addr") {
		t.Errorf("unknown key: %+v", r)
	}
}

// TestPasswordInArguments: ps shows it to everybody, so it is warned of, without it.
func TestPasswordInArguments(t *testing.T) {
	t.Parallel()
	for url, warned := range map[string]bool{
		"redis://:hunter2@127.0.0.1:1/0": true, "redis://worker:hunter2@127.0.0.1:1/0": true, "redis://worker@127.0.0.1:1/0": false,
	} {
		r := call(t, "", "config", "show", "--redis", url)
		if strings.Contains(r.err, "password in --redis") != warned || strings.Contains(r.err, "hunter2") {
			t.Errorf("%s: %q", url, r.err)
		}
	}
}

// TestOneClearLine: what is wrong, in one line, and an exit code. One at a time:
// go-redis has one logger for the process, and each command sets it.
func TestOneClearLine(t *testing.T) {
	locked := redistest.Start(t, redistest.Password("opensesame"), redistest.TCP())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	open := redistest.Start(t, redistest.AOF()).URL()
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	checked := filepath.Join(t.TempDir(), "rohrpost.yaml")
	accounts := filepath.Join(filepath.Dir(checked), "accounts.yaml")
	for path, text := range map[string]string{checked: "", accounts: "platform: {address: a@b.example, smtp: {host: mail.b.example}}\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name  string
		args  []string
		code  int
		words []string
	}{
		{"unknown command", []string{"sned"}, exitUsage, []string{"sned"}},
		{"unknown flag", []string{"status", "--jsno", "x"}, exitUsage, []string{"--jsno", "--help"}},
		{"missing argument", []string{"status"}, exitUsage, []string{"arg"}},
		{"unreachable redis", []string{"status", "--redis", "redis://127.0.0.1:1/0", "x"}, exitFailed, []string{"cannot be reached", "127.0.0.1:1"}},
		{"unreachable redis, checked", []string{"config", "check", "-c", checked, "--connect", "--redis", "redis://127.0.0.1:1/0"}, exitFailed, []string{"cannot be reached"}},
		{"redis with a password", []string{"status", "--redis", "redis://" + locked.Addr() + "/0", "x"}, exitFailed, []string{"password"}},
		{"wrong redis url", []string{"status", "--redis", "http://x", "x"}, exitFailed, []string{"redis"}},
		{"no configuration file", []string{"worker", "-c", missing}, exitFailed, []string{"missing.yaml"}},
		{"no accounts file", []string{"worker", "--redis", open, "--accounts", missing}, exitFailed, []string{"missing.yaml"}},
		{"port in use", []string{"web", "--redis", open, "--addr", listener.Addr().String()}, exitFailed, []string{"web.addr", "in use"}},
		{"wrong setting", []string{"worker", "--concurrency", "many"}, exitFailed, []string{"worker.concurrency"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out, errs bytes.Buffer
			code := run(ctx, test.args, streams{out: &out, err: &errs}, nil)
			text := strings.TrimSpace(errs.String())
			if code != test.code || strings.Contains(text, "\n") || out.Len() > 0 {
				t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), text)
			}
			for _, word := range test.words {
				if !strings.Contains(text, word) {
					t.Errorf("%q is not in %q", word, text)
				}
			}
			if strings.Contains(text, "opensesame") {
				t.Error("the password is in the message")
			}
		})
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	if r := fine(t, call(t, "", "version", "--json")); !strings.Contains(r.out, `"version":"dev"`) {
		t.Errorf("version %q", r.out)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := fine(t, call(t, "", "completion", shell)); len(r.out) < 100 {
			t.Errorf("%s: %q", shell, r.out)
		}
	}
}
