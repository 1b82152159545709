package rawmail_test

import (
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// TestEncoded: the parts that a server does not take, and theirs alone, are encoded.
func TestEncoded(t *testing.T) {
	t.Parallel()
	seven, eight := options(), options()
	eight.EightBit = true
	mixed := func(label, first, second string) string {
		return head + label + "Content-Type: multipart/mixed; boundary=a\n\n--a\n" + first + "--a\n" + second + "\n--a--\n"
	}
	x := strings.Repeat("x", 999)
	for name, tt := range map[string]struct {
		raw, want string
		options   rawmail.Options
	}{
		"8-bit text": {
			head + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding:\n 8bit\n\nGrüße = x \n\n",
			head + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =3D x=20\n\n", seven,
		},
		"8-bit text, 8BITMIME": {head + "Content-Transfer-Encoding: 8bit\n\nGrüße\n", head + "Content-Transfer-Encoding: 8bit\n\nGrüße\n", eight},
		"text without a type": {
			"From: a@b\nDate: x\nMessage-ID: <1@b>\n\nGrüße\n",
			"From: a@b\nDate: x\nMessage-ID: <1@b>\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\nGr=C3=BC=C3=9Fe\n", seven,
		},
		"of an unknown charset": {head + "\nGr\xfc\xdfe\n", head + "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n", seven},
		"mostly not ASCII": {
			head + "Content-Type: text/html\n\n" + strings.Repeat("привет", 19) + "\n",
			head + "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("0L/RgNC40LLQtdGC", 4) + "0L/RgNC40LLQ\n" +
				strings.Repeat("tdGC0L/RgNC40LLQ", 4) + "tdGC0L/RgNC4\n" + strings.Repeat("0LLQtdGC0L/RgNC4", 4) + "0LLQtdGC0L/R\n" + strings.Repeat("gNC40LLQtdGC0L/R", 4) + "gNC40LLQtdGC\nDQo=\n", seven,
		},
		"no text": {head + "Content-Type: application/x\n\nü\n", head + "Content-Type: application/x\nContent-Transfer-Encoding: base64\n\nw7wNCg==\n", seven},
		"binary":  {head + "Content-Type: application/x\nContent-Transfer-Encoding: binary\n\na\nü", head + "Content-Type: application/x\nContent-Transfer-Encoding: base64\n\nYQrDvA==\n", eight},
		"binary text": {
			head + "Content-Transfer-Encoding: binary\n\nä ", head + "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n=C3=A4=20\n", eight,
		},
		"a long line": {head + "\n" + x + "\n", head + "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n" + strings.Repeat(x[:75]+"=\n", 13) + x[:24] + "\n", eight},
		"base64 in one line": {
			head + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat("AAAA", 300) + "\n",
			head + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat(strings.Repeat("AAAA", 19)+"\n", 15) + strings.Repeat("AAAA", 15) + "\n", eight,
		},
		"a broken quoted-printable": {
			head + "Content-Transfer-Encoding: Quoted-Printable\n\nGr=FC=\nße=20= \n=x " + x[:998] + "\n",
			head + "Content-Transfer-Encoding: Quoted-Printable\n\nGr=FC=\n=C3=9Fe=20=\n=3Dx " + x[:70] + "=\n" + strings.Repeat(x[:75]+"=\n", 12) + x[:28] + "\n", seven,
		},
		"one part of two": {
			mixed("Content-Transfer-Encoding: 8bit\n", "Content-Type: text/plain\n\nü\n", "Content-Type: text/plain\n\nx =FC\n"),
			mixed("Content-Transfer-Encoding: 7bit\n", "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=C3=BC\n", "Content-Type: text/plain\n\nx =FC\n"), seven,
		},
		"one part of two, 8BITMIME": {
			mixed("Content-Transfer-Encoding: binary\n", "Content-Type: text/plain\n\nü\n", "Content-Transfer-Encoding: binary\n\nü"),
			mixed("Content-Transfer-Encoding: 8bit\n", "Content-Type: text/plain\n\nü\n", "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n=C3=BC"), eight,
		},
		"a part without a header": {
			mixed("", "\nü\n", "\nx"),
			mixed("", "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n=C3=BC\n", "\nx"), seven,
		},
		"within a message": {
			mixed("", "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: x\nDKIM-Signature: h=from\n\nü\n", "\nx"),
			mixed("", "Content-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\nSubject: x\nDKIM-Signature: h=from\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n=C3=BC\n", "\nx"), seven,
		},
		"within a digest": {
			strings.Replace(mixed("", "\nX-A: 1\n\nü\n", "\nX-B: 1\n"), "mixed", "digest", 1),
			strings.Replace(mixed("", "\nX-A: 1\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; charset=utf-8\n\n=C3=BC\n", "\nX-B: 1\n"), "mixed", "digest", 1), seven,
		},
	} {
		for _, raw := range []string{tt.raw, crlf(tt.raw)} {
			if strings.Contains(name, "binary") && raw != tt.raw {
				continue // its line ends are what it consists of
			}
			if diff := cmp.Diff(crlf(tt.want), edited(t, raw, tt.options)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// TestNoDelimiterAppears: no line that encoding makes is one between parts.
func TestNoDelimiterAppears(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"", "Content-Transfer-Encoding: quoted-printable\n", "Content-Transfer-Encoding: base64\n"} {
		for length := 900; length < 1100; length++ {
			raw := head + "Content-Type: multipart/mixed; boundary=a\n\n--a\n" + typ + "\n" + strings.Repeat("x", length) + "--a--\n" + strings.Repeat("y", 999) + "\n--a--\n"
			if out := edited(t, raw, options()); strings.Count(out, "\r\n--a") != 2 {
				t.Fatalf("%s%d octets: %q", typ, length, out)
			}
		}
	}
}

// decoded is a body with its transfer encoding undone.
func decoded(t *testing.T, message string) string {
	t.Helper()
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	switch {
	case strings.Contains(header, "Encoding: quoted-printable"):
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	case strings.Contains(header, "Encoding: base64"):
		text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return body
}

// FuzzEncode: what is decoded is what was there, with CRLF line ends.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"ü", "a = b \n\n ü\t\n", strings.Repeat("ü", 500), strings.Repeat("=", 1000) + "\n.", strings.Repeat(" ", 1000), "\xff\n" + strings.Repeat("x", 75) + "=\n", "From x\n-ü" + strings.Repeat("-", 1000)} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, body string, text bool) {
		raw := head + "Content-Type: application/x\n\n" + body
		if text {
			raw = head + "\n" + body
		}
		if rawmail.Check([]byte(raw)) != nil {
			return
		}
		out := edited(t, raw, options())
		want := crlf(strings.ReplaceAll(body, "\r\n", "\n"))
		if strings.TrimSuffix(decoded(t, out), "\r\n") != strings.TrimSuffix(want, "\r\n") {
			t.Fatalf("%q became %q", body, out)
		}
	})
}
