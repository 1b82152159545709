package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
)

// TestProgress: long commands tell a terminal how far they are, and nobody else. What they
// print is the same, and nothing of it stays on the terminal.
func TestProgress(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	file := o.write("accounts.yaml", "platform: {address: noreply@platform.example, smtp: {host: mail.platform.example, password: canary-hunter2}}\n")
	o.fine("", "account", "import", file)
	o.fine("", "send", "--to", "a@example.org", "--text", "x")
	log, err := errorlog.New(errorlog.Options{Redis: o.redis.Client(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), errorlog.Entry{Time: time.Now(), JobID: "j", Category: "auth_failed"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		want string
	}{
		{"queue check --pause 1ms", " keys looked at"},
		{"errors export -o " + o.path("log"), " MiB written"},
		{"account reseal", "1 secret looked at"},
		{"account import " + file, "1 entries stored"},
	} {
		args := strings.Fields(tt.args)
		plain := o.call("", args...)
		if plain.code != exitDone || strings.Contains(plain.err, "\r") {
			t.Errorf("%s: %+v", tt.args, plain)
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), args, streams{out: &out, err: &errs, pace: time.Nanosecond}, o.environment())
		if code != exitDone || out.String() != plain.out {
			t.Errorf("%s: exit %d, %q, want %q", tt.args, code, out.String(), plain.out)
		}
		shown := errs.String()
		if !strings.Contains(shown, tt.want) || strings.Contains(shown, "\n") || !strings.HasSuffix(shown, " \r") {
			t.Errorf("%s: the terminal gets %q", tt.args, shown)
		}
	}
}
