package smtp

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// FuzzCommands shows that an address is one argument of one command, or refused.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{
		"a@example.org", "grün@bücher.example", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "",
		"a@example.org>\r\nRCPT TO:<b@example.org", "a b@example.org", `"a> SIZE=1"@example.org`, "a@b\x00", "a@xn--a",
		"a\u2028b@example.org", "a@example.org> NOTIFY=NEVER", "a@ex\u00adample.org", "a@\u3002example",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, reverse, recipient string) {
		m := transport.Mail{ReversePath: reverse, Recipients: []string{recipient}}
		verdicts := make([]transport.Verdict, 1)
		e := newEnvelope(&Server{}, &m, verdicts)
		asked := e.forServer(&extensions{smtputf8: true}, verdicts)
		if (len(asked) == 0) == (verdicts[0].Failure == nil) {
			t.Fatalf("asked %v, failure %v", asked, verdicts[0].Failure)
		}
		if len(asked) == 0 {
			return
		}
		x := &transaction{conn: &conn{}, envelope: e, asked: asked}
		for i := range 3 {
			x.out = x.appendCommand(x.out, i)
		}
		lines := strings.SplitAfter(string(x.out), "\r\n")
		if len(lines) != 4 || lines[3] != "" || lines[2] != "DATA\r\n" || strings.Count(string(x.out), "\n") != 3 || strings.Count(string(x.out), "\r") != 3 {
			t.Fatalf("commands %q", x.out)
		}
		from, parameters, ok := strings.Cut(strings.TrimPrefix(lines[0], "MAIL FROM:<"), ">")
		if !ok || strings.ContainsAny(from, " <>\t\x00") || parameters != "\r\n" && parameters != " SMTPUTF8\r\n" {
			t.Fatalf("MAIL %q", lines[0])
		}
		to, parameters, ok := strings.Cut(strings.TrimPrefix(lines[1], "RCPT TO:<"), ">")
		if !ok || to == "" || strings.ContainsAny(to, " <>\t\x00") || parameters != "\r\n" {
			t.Fatalf("RCPT %q", lines[1])
		}
		if _, domain, _ := strings.Cut(to, "@"); !isASCII(domain) {
			t.Fatalf("domain %q is not in A-labels", domain)
		}
	})
}

// FuzzReply compares with net/textproto on what both take, and checks the limits.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"250 ok\r\n", "250\r\n", "250-a\r\n250-b\r\n250 c\r\n", "550-5.1.1 no\n550 user\n", "250-a\r\n550 b\r\n",
		"25", "250x\r\n", "999 a\r\n", "250-" + strings.Repeat("x", 5000) + "\r\n250 end\r\n",
		strings.Repeat("250-line\r\n", 200) + "250 the reason\r\n", strings.Repeat("250-"+strings.Repeat("y", 1900)+"\r\n", 9) + "250 last\r\n",
		"250-\r\n250-\r\n250 \r\n", "\r\n", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readReply(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			return
		}
		if r.code < 200 || r.code > 599 {
			t.Fatalf("code %d", r.code)
		}
		lines := r.lines()
		if len(r.text) > maxReply || len(lines) > maxReplyLines+1 {
			t.Fatalf("%d octets in %d lines", len(r.text), len(lines))
		}
		if c := r.cause(failure.StageMail, ""); (c.Reply.Code == 0) == (c.Err == nil) {
			t.Fatalf("cause %+v", c)
		}
		code, text, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(b))).ReadResponse(0)
		if err != nil {
			return // it does not take a code without a space
		}
		if code != r.code {
			t.Fatalf("code %d, textproto says %d", r.code, code)
		}
		want := strings.Split(text, "\n")
		last := want[len(want)-1]
		if got := lines[len(lines)-1]; strings.TrimSpace(got) != strings.TrimSpace(last[:min(len(last), maxReplyLine)]) {
			t.Fatalf("last line %q, textproto says %q", got, last)
		}
		if len(b) < maxReplyLine && len(want) <= maxReplyLines && len(lines) != len(want) {
			t.Fatalf("%d lines, textproto says %d", len(lines), len(want))
		}
	})
}

// FuzzDots shows that a server reads the mail as it was, and nothing after it.
func FuzzDots(f *testing.F) {
	for _, s := range []string{"", ".", "..", ".\r\n", "a\r\n.\r\nb", "a\n.\nb", "\r\n.\r\nMAIL FROM:<x@y>\r\n", "a.\r\n.b\r\n..c\r\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, mail []byte, at int) {
		at = max(0, min(at, len(mail)))
		before := byte('\n')
		if at > 0 {
			before = mail[at-1]
		}
		out := appendStuffed(nil, mail[:at], '\n')
		out = appendStuffed(out, mail[at:], before)
		if whole := appendStuffed(nil, mail, '\n'); !bytes.Equal(out, whole) {
			t.Fatalf("in two parts %q, in one %q", out, whole)
		}
		if bytes.HasPrefix(out, []byte(".\r\n")) || bytes.Contains(out, []byte("\n.\r\n")) || bytes.Contains(out, []byte("\n.\n")) {
			t.Fatalf("an end in the middle: %q", out)
		}
		if bytes.ContainsRune(mail, '\r') {
			return // DotReader takes CR away
		}
		out = append(bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n")), "\r\n.\r\nrest"...)
		r := textproto.NewReader(bufio.NewReader(bytes.NewReader(out)))
		got, err := io.ReadAll(r.DotReader())
		if err != nil || string(got) != string(mail)+"\n" {
			t.Fatalf("read %q, %v, want %q", got, err, mail)
		}
		if rest, _ := io.ReadAll(r.R); string(rest) != "rest" {
			t.Fatalf("after the mail %q", rest)
		}
	})
}

// TestLimits keeps the last line of what is too long.
func TestLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("z", 10000)
	for name, in := range map[string]string{
		"lines":     strings.Repeat("550-line\r\n", 500) + "550 reason\r\n",
		"octets":    strings.Repeat("550-"+strings.Repeat("y", 500)+"\r\n", 90) + "550 reason\r\n",
		"long line": "550-" + long + "\r\n550 reason\r\n",
	} {
		r, err := readReply(bufio.NewReader(strings.NewReader(in)), nil)
		lines := r.lines()
		if err != nil || r.code != 550 || lines[len(lines)-1] != "reason" || len(r.text) > maxReply || len(lines) > maxReplyLines {
			t.Errorf("%s: %d, %d lines, %d octets, %v", name, r.code, len(lines), len(r.text), err)
		}
	}
}

func TestEnhanced(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2.0.0 ok": "2.0.0", "ok\n2.6.0 queued": "2.6.0", "ok": "", "2.0": "", "2.0.x y": "", "250.1.2.3 ok": "", "2.1234.0": "",
	} {
		if got := (reply{text: []byte(text)}).enhanced(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
