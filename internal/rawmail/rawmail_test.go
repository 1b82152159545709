package rawmail_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// crlf makes line ends as on the wire out of a text as it stands in a test.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// options replace nothing that is there.
func options() rawmail.Options {
	return rawmail.Options{MessageID: "<new@acme.example>", Date: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)}
}

// head has all that a header needs; nothing is added to it.
const head = "From: a@b.example\nDate: Tue, 01 Dec 2026 12:00:00 +0000\nMessage-ID: <1@b.example>\nMIME-Version: 1.0\n"

func edited(t *testing.T, raw string, o rawmail.Options) string {
	t.Helper()
	out, err := rawmail.Edit(t.Context(), []byte(raw), o)
	if err != nil {
		t.Fatalf("%v of %q", err, raw)
	}
	return string(out)
}

// TestUntouched: what nobody has to change keeps its octets, whatever it looks like.
func TestUntouched(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"simple":         head + "\nHello\n",
		"no body":        head + "\n",
		"folding":        "from:\n a@b.example\nDATE:Tue, 01 Dec 2026 12:00:00 +0000\nmessage-id:\t<1@b.example>\nX-A:  two  blanks \nX-B: a\n\tb\n\nHello\n",
		"other names":    head + "X-Ordinary: 1\nx_y.z!: 2\nReceived: by x; now\nReceived: by y; now\n\n",
		"UTF-8":          "Subject: Grüße\n" + head + "\n",
		"multipart":      head + "Content-Type: multipart/mixed; boundary=\"a b\"\n\npreamble\n--a b\n\none\n--a b  \nContent-Type: text/html\n\ntwo\n\n--a b--\nepilogue\n--a b\n",
		"unclosed":       head + "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n",
		"message":        head + "Content-Type: message/rfc822\n\nSubject: x\nBcc: x@y.example\n\n.\nFrom x\n",
		"odd parameters": head + "Content-Type: application/pdf; name=two words.pdf\n\nx\n",
		"QP as it is":    head + "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =\nx = y \n",
		"called 8bit":    head + "Content-Transfer-Encoding: 8bit\n\nx\n",
		"called binary":  head + "Content-Transfer-Encoding: binary\n\nx\n",
		"signed": head + "DKIM-Signature: v=1; h=from:subject:x-a; b=x\nARC-Seal: i=1\nARC-Message-Signature: i=1; h=from\n" +
			"Content-Type: multipart/signed; boundary=a\n\n--a\n\none  \n\n--a\nContent-Type: application/pgp-signature\n\nx\n--a--\n",
		"empty part": head + "Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--a\nContent-Type: text/plain\n--a--\n",
		"998 octets": head + "X-A: " + strings.Repeat("x", 993) + "\n\n" + strings.Repeat("x", 998) + "\n",
	} {
		raw = crlf(raw)
		if diff := cmp.Diff(raw, edited(t, raw, options())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		same := options()
		same.From = rohrpost.Address{Name: "Another name", Address: "A@B.Example"}
		if diff := cmp.Diff(raw, edited(t, raw, same)); diff != "" {
			t.Errorf("%s, sent by its own address: %s", name, diff)
		}
		if diff := cmp.Diff(raw, edited(t, strings.ReplaceAll(raw, "\r\n", "\n"), options())); diff != "" {
			t.Errorf("%s with LF: %s", name, diff)
		}
		if diff := cmp.Diff(raw, edited(t, strings.TrimSuffix(raw, "\r\n"), options())); diff != "" && name != "no body" && name != "empty part" {
			t.Errorf("%s without the last line end: %s", name, diff)
		}
	}
}

// TestEdited: what is taken out, added and replaced in the header.
func TestEdited(t *testing.T) {
	t.Parallel()
	other := options()
	other.From = rohrpost.Address{Name: "Jörg, Müller", Address: "jm@müller.example"}
	tests := map[string]struct {
		raw, want string
		options   rawmail.Options
	}{
		"taken out": {
			"Return-Path: <x@y.example>\nBCC: x@y.example,\n z@y.example\nX-Rohrpost-Job: 1\nX-SMTPAPI: {}\nX-Envelope-To: x@y.example\nX-MC-BccAddress: x@y.example\n" +
				"Apparently-To: x@y.example\nResent-Bcc: x@y.example\n" + head + "X-Rohrposten: 1\nIn-Reply-To: <2@b>\n\nx\n",
			head + "X-Rohrposten: 1\nIn-Reply-To: <2@b>\n\nx\n", options(),
		},
		"a long line of what is taken out": {"Bcc: " + strings.Repeat("a@b.example, ", 200) + "c@d.example\n" + head + "\nx\n", head + "\nx\n", options()},
		"added": {
			"From: a@b.example\n\nx\n",
			"From: a@b.example\nMessage-ID: <new@acme.example>\nDate: Tue, 01 Dec 2026 12:00:00 +0000\n\nx\n", options(),
		},
		"added where nothing follows": {
			"From: a@b.example",
			"From: a@b.example\nMessage-ID: <new@acme.example>\nDate: Tue, 01 Dec 2026 12:00:00 +0000\n\n", options(),
		},
		"MIME-Version added": {
			strings.Replace(head, "MIME-Version: 1.0\n", "Content-Type: text/html\n", 1) + "\nx\n",
			strings.Replace(head, "MIME-Version: 1.0\n", "Content-Type: text/html\nMIME-Version: 1.0\n", 1) + "\nx\n", options(),
		},
		"From replaced": {
			"Sender: x@y.example\nFrom: \"A\"\n <a@b.example>\n" + strings.TrimPrefix(head, "From: a@b.example\n") + "\nx\n",
			"From: =?utf-8?b?SsO2cmcsIE3DvGxsZXI=?= <jm@xn--mller-kva.example>\n" + strings.TrimPrefix(head, "From: a@b.example\n") +
				"Reply-To: \"A\"\n <a@b.example>\n\nx\n", other,
		},
		"From replaced, Reply-To kept": {
			"Reply-To: q@r.example\n" + head + "\nx\n",
			"Reply-To: q@r.example\nFrom: =?utf-8?b?SsO2cmcsIE3DvGxsZXI=?= <jm@xn--mller-kva.example>\n" + strings.TrimPrefix(head, "From: a@b.example\n") + "\nx\n", other,
		},
		"From replaced where nothing follows": {
			"Date: x\nMessage-ID: <1@b>\nFrom: a@b.example",
			"Date: x\nMessage-ID: <1@b>\nFrom: =?utf-8?b?SsO2cmcsIE3DvGxsZXI=?= <jm@xn--mller-kva.example>\nReply-To: a@b.example\n\n", other,
		},
	}
	for name, tt := range tests {
		for _, raw := range []string{tt.raw, crlf(tt.raw)} {
			if diff := cmp.Diff(crlf(tt.want), edited(t, raw, tt.options)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// TestSignatures: those that no longer verify go, the others stay.
func TestSignatures(t *testing.T) {
	t.Parallel()
	other, seven := options(), options()
	other.From.Address = "x@y.example"
	eight := options()
	eight.EightBit = true
	tests := map[string]struct {
		h, more string // the fields that are signed; other fields, and the body
		options rawmail.Options
		stays   bool
	}{
		"nothing changed":           {"From:Subject", head + "\nx\n", seven, true},
		"a field that is signed":    {"from : X-Rohrpost-A", head + "X-Rohrpost-A: 1\n\nx\n", seven, false},
		"a field that is not":       {"from", head + "X-Rohrpost-A: 1\n\nx\n", seven, true},
		"From replaced":             {"from", head + "\nx\n", other, false},
		"Message-ID added, signed":  {"from:message-\n id", "From: a@b.example\nDate: y\n\nx\n", seven, false},
		"Message-ID added":          {"from", "From: a@b.example\nDate: y\n\nx\n", seven, true},
		"the body encoded":          {"from", head + "\nü\n", seven, false},
		"the body not encoded":      {"from", head + "Content-Transfer-Encoding: 8bit\n\nü\n", eight, true},
		"one more DKIM-Signature":   {"from", "DKIM-Signature: h=from\n" + head + "\nx\n", seven, true},
		"no h= is left as it was":   {"", head + "\nx\n", seven, true},
		"MIME-Version may not come": {"from:mime-version", strings.Replace(head, "MIME-Version: 1.0", "Content-Type: text/html", 1) + "\nx\n", seven, false},
	}
	for name, tt := range tests {
		signature := "v=1; d=b.example;\n bh=x; h=" + tt.h + "; b=x\n"
		raw := "ARC-Seal: i=1; b=x\nARC-Message-Signature: i=1; " + signature + "ARC-Authentication-Results: i=1; x\nDKIM-Signature: " + signature + tt.more
		out := edited(t, raw, tt.options)
		for _, field := range []string{"DKIM-Signature: v=1", "ARC-Seal:", "ARC-Message-Signature:", "ARC-Authentication-Results:"} {
			if strings.Contains(out, field) != tt.stays {
				t.Errorf("%s: %s stays %v in %q", name, field, !tt.stays, out)
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	raw := "From: =?utf-8?q?J=C3=B6rg?= <a@b.example>\nTo: All: x@y.example, \"X, Y\" <z@y.example>;, =?koi8-r?q?=C1?= <k@y.example>\nCc: c@y.example (comment)\n" +
		"Bcc: d@y.example\nReply-To: r@y.example\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\n aus =?utf-8?b?S8O2bG4=?=\nMessage-Id: \n <1@b>\nAuto-Submitted: auto-replied; y\n\nx\n"
	got, err := rawmail.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	want := rawmail.Info{
		From: rohrpost.Address{Name: "Jörg", Address: "a@b.example"},
		To:   []rohrpost.Address{{Address: "x@y.example"}, {Address: "z@y.example"}, {Address: "k@y.example"}},
		Cc:   []rohrpost.Address{{Address: "c@y.example"}}, Bcc: []rohrpost.Address{{Address: "d@y.example"}},
		ReplyTo: true, MessageID: "<1@b>", Subject: "Grüße aus Köln", AutoSubmitted: true,
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Name" && p.Index(1).String() != ".From" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	for name, tt := range map[string]struct {
		raw                 string
		signed, sealed, utf bool
	}{
		"plain":              {"\nx\n", false, false, false},
		"multipart/signed":   {"Content-Type: multipart/signed; boundary=a\n\n--a\n\n--a\n\n--a--\n", true, false, false},
		"an attached one":    {"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/signed; boundary=a\n\n--a\n\n--a\n\n--a--\n--b--\n", false, false, false},
		"PGP":                {"Content-Type: multipart/encrypted; boundary=a\n\n--a\n\n--a\n\n--a--\n", false, true, false},
		"enveloped":          {"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\n\nx\n", false, true, false},
		"opaquely signed":    {"Content-Type: application/pkcs7-mime; smime-type=Signed-Data\n\nx\n", true, false, false},
		"UTF-8":              {"Subject: ü\n\nx\n", false, false, true},
		"UTF-8 taken out":    {"X-Rohrpost: ü\n\nx\n", false, false, false},
		"UTF-8 in a part":    {"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Description: ü\n\n--a--\n", false, false, true},
		"UTF-8 in the body":  {"\nü\n", false, false, false},
		"not auto-submitted": {"Auto-Submitted: No\n\n", false, false, false},
	} {
		info, err := rawmail.Parse([]byte(head + tt.raw))
		if err != nil || info.Signed != tt.signed || info.Encrypted != tt.sealed || info.SMTPUTF8 != tt.utf || info.AutoSubmitted || !info.Date {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
}

// TestOptions: what the message lacks must come from the worker. It is not the message's fault.
func TestOptions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rawmail.Options){
		"Message-ID":           func(o *rawmail.Options) { o.MessageID = "" },
		"malformed Message-ID": func(o *rawmail.Options) { o.MessageID = "<a@b>\r\nBcc: x@y" },
		"Date":                 func(o *rawmail.Options) { o.Date = time.Time{} },
		"From":                 func(o *rawmail.Options) { o.From.Address = "a@b>\r\nBcc: <x@y" },
	} {
		o := options()
		change(&o)
		if out, err := rawmail.Edit(t.Context(), []byte("From: a@b.example\n\nx"), o); err == nil || out != nil || errors.Is(err, rawmail.ErrMessage) {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	o := options()
	o.From = rohrpost.Address{Name: "a\r\nBcc: x@y" + strings.Repeat("x", 2000), Address: "x@y.example"}
	if out := edited(t, head+"\nx", o); bytes.Contains([]byte(out), []byte("\nBcc")) {
		t.Errorf("%q", out)
	}
}
