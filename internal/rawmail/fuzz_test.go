package rawmail_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// senders are the addresses for which a message may have to leave.
func senders() []rohrpost.Address {
	local, domain := strings.Repeat("l", 64), strings.Repeat(strings.Repeat("d", 60)+".", 3)
	return []rohrpost.Address{
		{},
		{Name: "Rechnungen, Müller GmbH", Address: "rechnung@müller.example"},
		{Name: strings.Repeat("Ü", 128), Address: "jörg@müller.example"},
		{Name: strings.Repeat("\"\\", 128), Address: local + "@" + domain + "e"},
		{Name: "in two\r\nlines \xff", Address: "a@[192.0.2.1]"},
	}
}

// law: whatever Check accepts, Edit writes, for every sender and every server, and what it
// writes every server takes.
func law(t *testing.T, raw []byte) {
	t.Helper()
	before := bytes.Clone(raw)
	info, err := rawmail.Parse(raw)
	if err != nil {
		return
	}
	for _, from := range senders() {
		for _, eight := range []bool{false, true} {
			o := rawmail.Options{From: from, MessageID: "<new@acme.example>", Date: time.Unix(1e9, 0), EightBit: eight}
			out, err := rawmail.Edit(t.Context(), raw, o)
			if err != nil {
				t.Fatalf("%+v: %v of %q", o, err, raw)
			}
			checkWire(t, out, !eight && !info.SMTPUTF8 && from.Address != "jörg@müller.example")
			checkHeader(t, raw, out, info, from)
			if again, err := rawmail.Edit(t.Context(), out, o); err != nil || !bytes.Equal(again, out) {
				t.Fatalf("once more: %v, %q\nof %q\nof %q", err, again, out, raw)
			}
		}
	}
	if !bytes.Equal(raw, before) {
		t.Fatalf("%q was %q", raw, before)
	}
}

// checkWire looks at what a server sees: RFC 5321 §4.5.3.1.6, §2.3.8, RFC 6152.
func checkWire(t *testing.T, out []byte, sevenBit bool) {
	t.Helper()
	rest, found := bytes.CutSuffix(out, []byte("\r\n"))
	if !found {
		t.Fatalf("no line end at the end of %q", out)
	}
	for line := range bytes.SplitSeq(rest, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line %q in %q", line, out)
		}
		if sevenBit && bytes.ContainsFunc(line, func(r rune) bool { return r > 127 }) {
			t.Fatalf("8-bit line %q in %q", line, out)
		}
	}
}

func checkHeader(t *testing.T, raw, out []byte, info rawmail.Info, from rohrpost.Address) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	after, err := rawmail.Parse(out)
	if err != nil {
		t.Fatalf("%v of %q\nof %q", err, out, raw)
	}
	want := info
	want.Bcc, want.Date, want.SMTPUTF8 = nil, true, after.SMTPUTF8
	if want.MessageID == "" {
		want.MessageID = "<new@acme.example>"
	}
	if from.Address != "" && !strings.EqualFold(from.Address, info.From.Address) {
		want.ReplyTo, want.From = true, after.From
		if at := strings.LastIndexByte(from.Address, '@'); !strings.HasPrefix(after.From.Address, from.Address[:at+1]) {
			t.Fatalf("From %+v in %q", after.From, out)
		}
	}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Fatalf("%s in %q\nof %q", diff, out, raw)
	}
	for _, name := range []string{"Bcc", "Resent-Bcc", "Return-Path", "X-Smtpapi", "X-Rohrpost-Job"} {
		if m.Header[name] != nil {
			t.Fatalf("%s in %q", name, out)
		}
	}
}

// pieces are what random messages are made of.
func pieces() []string {
	return []string{
		"From: a@b.example\n", "From: \"A, B\"\n <a@b.example>\n", "From: jörg@b.example\n", "From: " + strings.Repeat("x", 970) + " <a@b.example>\n",
		"Sender: s@b.example\n", "Reply-To: r@b.example\n", "To: x@y.example, z@y.example\n", "Cc: Group: x@y.example;\n", "Bcc: q@y.example\n", "Subject: =?utf-8?q?=FC?=\n", "Subject: Grüße\n",
		"Message-ID: <1@b.example>\n", "Date: x\n", "MIME-Version: 1.0\n", "X-Rohrpost-Job: 1\n", "X-SMTPAPI: {}\n", "Return-Path: <>\n", "Resent-Bcc: x@y\n", "Received: x\n", " folded\n",
		"DKIM-Signature: v=1; h=from:to\n", "ARC-Seal: i=1\n", "ARC-Message-Signature: i=1; h=from\n",
		"Content-Type: text/plain; charset=utf-8\n", "Content-Type: text/html\n", "Content-Type: application/pdf\n", "Content-Type: multipart/mixed; boundary=a\n", "Content-Type: multipart/alternative; boundary=aa\n",
		"Content-Type: multipart/digest; boundary=b\n", "Content-Type: message/rfc822\n", "Content-Type: multipart/signed; boundary=s\n", "Content-Type: application/pkcs7-mime\n", "Content-Type: message/partial\n",
		"Content-Transfer-Encoding: 7bit\n", "Content-Transfer-Encoding: 8bit\n", "Content-Transfer-Encoding: binary\n", "Content-Transfer-Encoding: base64\n", "Content-Transfer-Encoding: quoted-printable\n",
		"\n", "\n", "\n", "--a\n", "--aa\n", "--b\n", "--s\n", "--a--\n", "--aa--\n", "--b--\n", "--s--\n", "--a\n\n", "--aa\n\n", "--b\n\n", "--s\n\n", "hello\n", "hello\r\n", "Grüße\n", "\xff\xfe", "=FC=\n", "x = y \n", "AAAA",
		strings.Repeat("x", 999), strings.Repeat("ü", 600), strings.Repeat("AAAA", 300) + "\n", strings.Repeat("-a-", 400), ".\n", "From x\n", "\t\n",
	}
}

// TestLaw makes messages of pieces at random. Enough of them are accepted.
func TestLaw(t *testing.T) {
	t.Parallel()
	rounds := 5000
	if testing.Short() {
		rounds = 500
	}
	random, all, accepted := rand.New(rand.NewPCG(1, 2)), pieces(), 0
	for range rounds {
		var b strings.Builder
		b.WriteString(all[random.IntN(4)])
		for range random.IntN(4) {
			b.WriteString(all[random.IntN(38)])
		}
		if random.IntN(4) > 0 {
			b.WriteString("\n")
		}
		for range random.IntN(12) {
			b.WriteString(all[random.IntN(len(all))])
		}
		raw := b.String()
		if random.IntN(2) == 0 {
			raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")
		}
		if rawmail.Check([]byte(raw)) == nil {
			accepted++
			law(t, []byte(raw))
		}
	}
	if accepted < rounds/10 {
		t.Errorf("only %d of %d messages were accepted", accepted, rounds)
	}
	t.Logf("%d of %d messages accepted", accepted, rounds)
}

func FuzzEdit(f *testing.F) {
	all := pieces()
	for i, p := range all {
		f.Add([]byte(head + p + "\nü\n"))
		f.Add([]byte("From: a@b.example\n" + p + all[(i*7)%len(all)] + "\n" + all[(i*3)%len(all)] + p))
		f.Add([]byte(head + "Content-Type: multipart/mixed; boundary=a\n\n--a\n" + p + "\nü\n" + p + "\n--a--\n"))
	}
	f.Add([]byte(head + "Content-Type: multipart/signed; boundary=s\n\n--s\n\nx\r\ny\r\n\n--s\n\nz\n--s--"))
	f.Add([]byte(fmt.Sprintf("From: a@b.example\nContent-Type: multipart/mixed; boundary=%q\n\n--a=\n\n%s", "a=", strings.Repeat("x", 1075)+"--a=\n--a=--")))
	f.Fuzz(func(t *testing.T, raw []byte) { law(t, raw) })
}
