package dkim_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	verifier "github.com/emersion/go-msgauth/dkim"

	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

const head = "From: a@acme.example\nTo: x@y.example\nSubject: Hello\nDate: Tue, 01 Dec 2026 12:00:00 +0000\nMessage-ID: <1@acme.example>\n"

// mails are messages of which canonicalization must think.
func mails() map[string]string {
	return map[string]string{
		"simple":      head + "\nHello\n",
		"no body":     head + "\n",
		"empty lines": head + "\n\n\n\n",
		"blanks":      head + "\n a  b \t\n\t\n \n",
		"no end":      head + "\nHello",
		"dots":        head + "\n.\n..\nFrom x\n",
		"folded":      "Received: by x\n ; now\nFROM:\n  \"A\"  \t\n\t<a@acme.example> \nSubject:a\n\tb  c\nCc: " + strings.Repeat("x@y.example,\n ", 100) + "z@y.example\n\nx\n",
		"UTF-8":       "From: Jörg <jörg@acme.example>\nSubject: Grüße\n\nÜbermut\n",
		"all fields": head + "Cc: c@d.example\nReply-To: r@s.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n boundary=a\nContent-Transfer-Encoding: 7bit\n" +
			"In-Reply-To: <0@b>\nReferences: <0@b>\nAuto-Submitted: auto-generated\nList-Unsubscribe: <https://x.example>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nX-A: 1\nX-A: 2\n\n--a--\n",
	}
}

// check verifies all signatures of a message, with the records of the keys as DNS has them.
func check(t testing.TB, signed []byte, keys ...*dkim.Key) error {
	t.Helper()
	list, err := verifier.VerifyWithOptions(bytes.NewReader(signed), &verifier.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		for _, k := range keys {
			if k.Name() == name {
				return []string{k.Record()}, nil
			}
		}
		return nil, fmt.Errorf("no such name: %s", name)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(keys) {
		t.Fatalf("%d signatures, want %d", len(list), len(keys))
	}
	for _, v := range list {
		err = errors.Join(err, v.Err)
	}
	return err
}

// TestSign: both signatures verify, and the message stays as it was behind them.
func TestSign(t *testing.T) {
	t.Parallel()
	keys := []*dkim.Key{key(t, dkim.RSA, "s1"), key(t, dkim.Ed25519, "s2")}
	for name, mail := range mails() {
		message := []byte(crlf(mail))
		signed, err := dkim.Sign(message, keys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := check(t, signed, keys...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		fields, same := bytes.CutSuffix(signed, message)
		if !same || bytes.Count(fields, []byte("DKIM-Signature:")) != 2 || !bytes.Contains(fields, []byte("t=")) {
			t.Errorf("%s: %q", name, signed)
		}
		for line := range strings.SplitSeq(string(fields), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: line %q", name, line)
			}
		}
	}
	if out, err := dkim.Sign([]byte("x"), nil); string(out) != "x" || err != nil {
		t.Errorf("without keys %q, %v", out, err)
	}
}

// TestOversigned: who adds a field that a reader would show, or changes one, breaks the
// signature. What servers and mailing lists add does not.
func TestOversigned(t *testing.T) {
	t.Parallel()
	k := key(t, dkim.Ed25519, "s1")
	signed, err := dkim.Sign([]byte(crlf(head+"List-Unsubscribe: <https://x.example>\n\nHello\n")), []*dkim.Key{k})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{
		"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	} {
		if check(t, append([]byte(field+": evil@x.example\r\n"), signed...), k) == nil {
			t.Errorf("%s may be added", field)
		}
	}
	for _, change := range [][2]string{{"Hello\r\nDate", "Bye\r\nDate"}, {"<https://x", "<https://y"}, {"\r\n\r\nHello", "\r\n\r\nBye"}, {"\r\n\r\nHello\r\n", "\r\n\r\nHello\r\nx\r\n"}} {
		if check(t, []byte(strings.Replace(string(signed), change[0], change[1], 1)), k) == nil {
			t.Errorf("%q may become %q", change[0], change[1])
		}
	}
	for _, field := range []string{"Received", "List-ID", "Sender", "X-Spam-Status", "Return-Path"} {
		if err := check(t, append([]byte(field+": x\r\n"), signed...), k); err != nil {
			t.Errorf("%s may not be added: %v", field, err)
		}
	}
	if err := check(t, bytes.Replace(signed, []byte("Subject: Hello"), []byte("SUBJECT:\r\n  Hello "), 1), k); err != nil {
		t.Errorf("white space may not change: %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	k := key(t, dkim.Ed25519, "s1")
	for name, message := range map[string]string{
		"empty":      "",
		"no end":     crlf(head),
		"LF":         head + "\nx\n",
		"no From":    crlf("To: x@y.example\n\nx"),
		"two From":   crlf("from: b@c.example\n" + head + "\nx"),
		"two To":     crlf(head + "To : b@c.example\n\nx"),
		"begins odd": "\r\n\r\n",
	} {
		if out, err := dkim.Sign([]byte(message), []*dkim.Key{k}); !errors.Is(err, dkim.ErrMessage) || out != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// TestTime: t= is when the mail is signed.
func TestTime(t *testing.T) {
	t.Parallel()
	k := key(t, dkim.Ed25519, "s1")
	synctest.Test(t, func(t *testing.T) {
		signed, err := dkim.Sign([]byte(crlf(head+"\nx")), []*dkim.Key{k})
		if want := fmt.Sprintf(" t=%d;", time.Now().Unix()); err != nil || !strings.Contains(string(signed), want) {
			t.Errorf("no %s in %q, %v", want, signed, err)
		}
	})
}

func TestSigners(t *testing.T) {
	t.Parallel()
	one, two := key(t, dkim.RSA, "s1"), key(t, dkim.Ed25519, "s2")
	s, err := dkim.New(one, two)
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]int{"acme.example": 2, "ACME.Example": 2, "mail.acme.example": 0, "example": 0, "": 0, "a b": 0} {
		if got := s.For(domain); len(got) != want || want == 2 && (got[0] != one || got[1] != two) {
			t.Errorf("%q: %v", domain, got)
		}
	}
	if keys := (*dkim.Signers)(nil).For("acme.example"); keys != nil {
		t.Errorf("of nobody: %v", keys)
	}
	if _, err := dkim.New(one, key(t, dkim.RSA, "S1")); !errors.Is(err, dkim.ErrKey) {
		t.Errorf("two keys with one name: %v", err)
	}
}

// python finds one that has dkimpy with Ed25519: Debian's has, another in the path need not.
func python(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), program, "-c", "import dkim, nacl").Run() == nil {
			return program
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no python3 with dkim and nacl: apt-get install python3-dkim python3-nacl")
	}
	t.Skip("no python3 with dkim and nacl on this system")
	return ""
}

// TestDkimpy has another implementation verify.
func TestDkimpy(t *testing.T) {
	t.Parallel()
	const script = `
import sys, dkim
records = dict(line.split(b"\t") for line in open(sys.argv[1], "rb").read().splitlines())
d = dkim.DKIM(sys.stdin.buffer.read(), minkey=2048)
for i in range(len(records)):
    if not d.verify(idx=i, dnsfunc=lambda name, timeout=5: records[name.rstrip(b".")]):
        sys.exit("signature %d does not verify" % i)
print("verified", len(records))
`
	program := python(t)
	keys := []*dkim.Key{key(t, dkim.RSA, "s1"), key(t, dkim.Ed25519, "s2")}
	records := t.TempDir() + "/records"
	if err := os.WriteFile(records, fmt.Appendf(nil, "%s\t%s\n%s\t%s\n", keys[0].Name(), keys[0].Record(), keys[1].Name(), keys[1].Record()), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(signed []byte) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, "-c", script, records)
		cmd.Stdin = bytes.NewReader(signed)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for name, mail := range mails() {
		signed, err := dkim.Sign([]byte(crlf(mail)), keys)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := verify(signed); err != nil || out != "verified 2\n" {
			t.Errorf("%s: %v, %s", name, err, out)
		}
		if out, err := verify(append(signed, "more\r\n"...)); err == nil {
			t.Errorf("%s, changed: %s", name, out)
		}
	}
}

// FuzzSign: whatever can be signed verifies.
func FuzzSign(f *testing.F) {
	for _, mail := range mails() {
		header, body, _ := strings.Cut(crlf(mail), "\r\n\r\n")
		f.Add(header, body)
	}
	k := key(f, dkim.Ed25519, "s1")
	f.Fuzz(func(t *testing.T, header, body string) {
		message := []byte("From: a@acme.example\r\n" + crlf(strings.NewReplacer("\r", "", "\n\n", "\n").Replace(header)) + "\r\n\r\n" + crlf(strings.ReplaceAll(body, "\r", "")))
		signed, err := dkim.Sign(message, []*dkim.Key{k})
		if err != nil || bytes.Contains(bytes.ToLower(message), []byte("dkim-signature")) {
			return
		}
		if err := check(t, signed, k); err != nil || !bytes.HasSuffix(signed, message) {
			t.Fatalf("%v: %q", err, signed)
		}
	})
}

// TestWorkIsLinear: twice the mail is twice the work. go-msgauth reads in a goroutine of
// its own, which is not measured: see TestManyLines.
func TestWorkIsLinear(t *testing.T) {
	k := key(t, dkim.Ed25519, "s1")
	for name, mail := range map[string]func(n int) string{
		"folded":     func(n int) string { return head + "Cc: x" + strings.Repeat("\n ,", n/3) + "\n\nx" },
		"fields":     func(n int) string { return head + strings.Repeat("X: y\n", n/5) + "\n\nx" },
		"empty ends": func(n int) string { return head + "\n" + strings.Repeat("\n", n) },
		"blanks":     func(n int) string { return head + "\n" + strings.Repeat(" ", n) },
	} {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				message := []byte(crlf(mail(size)))
				return func() { _, _ = dkim.Sign(message, []*dkim.Key{k}) }
			})
		})
	}
}

// TestManyLines: a header as large as it may be, of which no line has more than two octets, would
// take minutes if it were joined line by line.
func TestLarge(t *testing.T) {
	t.Parallel()
	k := key(t, dkim.Ed25519, "s1")
	done := make(chan error, 1)
	go func() {
		_, err := dkim.Sign([]byte(crlf(head+"Cc: x"+strings.Repeat("\n ,", 1<<20)+"\n\n"+strings.Repeat("\n", 8<<20))), []*dkim.Key{k})
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("one mail takes more than a minute")
	}
}
