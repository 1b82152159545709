package compose_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/transport/compose/wiretest"
)

var update = flag.Bool("update", false, "write the golden files")

func input(m rohrpost.Message) compose.Input {
	if m.To == nil && m.Cc == nil && m.Bcc == nil {
		m.To = []rohrpost.Address{{Address: "kunde@example.org"}}
	}
	return compose.Input{
		Message:   &m,
		MessageID: "<4711@rohrpost.example>",
		Date:      time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)),
		From:      rohrpost.Address{Name: "Service", Address: "service@acme.example"},
	}
}

// everything is a message with all there is.
func everything() compose.Input {
	in := input(rohrpost.Message{
		From:    rohrpost.Address{Address: "ignored@example.org"},
		ReplyTo: []rohrpost.Address{{Address: "ignored@example.org"}},
		To:      []rohrpost.Address{{Name: "Müller, Jörg", Address: "joerg@bücher.example"}, {Address: "b@example.org"}},
		Cc:      []rohrpost.Address{{Name: `Ann "A" O'Neil`, Address: "ann@example.org"}},
		Bcc:     []rohrpost.Address{{Name: "Geheim", Address: "geheim@example.org"}},
		Subject: "Ihre Rechnung für März – mit einem Betreff, der so lang ist, dass er auf mehrere Zeilen gefaltet werden muss",
		Text:    "Guten Tag,\n\nanbei die Rechnung über 1.000 €.\n.\nGrüße  \n",
		HTML:    "<p>anbei die <b>Rechnung</b><img src=\"cid:logo@acme\">\r\n",
		Headers: []rohrpost.Header{
			{Name: "X-Order", Value: "4711"},
			{Name: "list-unsubscribe", Value: "<https://acme.example/unsubscribe?id=4711>, <mailto:unsubscribe@acme.example>"},
			{Name: "X-Tag", Value: "eins"},
			{Name: "X-Tag", Value: "zwei"},
		},
		Attachments: []rohrpost.Attachment{
			{Name: "Rechnung März.pdf", Content: []byte("%PDF-1.7 not really")},
			{Name: "logo.png", ContentType: "image/png", ContentID: "logo@acme", Content: bytes.Repeat([]byte{0, 1, 2, 255}, 40)},
			{Name: "mail.eml", ContentType: "message/rfc822", Content: []byte("Subject: x\r\n\r\ny")},
		},
	})
	in.ReplyTo = []rohrpost.Address{{Name: "Max", Address: "max@acme.example"}}
	return in
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]compose.Input{
		"everything": everything(),
		"branded":    branded(t, everything()),
		"text":       input(rohrpost.Message{Subject: "hello", Text: "Hello.\n\nBye."}),
		"quoted":     input(rohrpost.Message{Origin: rohrpost.Manual, Subject: "Grüße", Text: "Schöne Grüße, " + strings.Repeat("ä", 60) + " \n=\n"}),
		"html":       input(rohrpost.Message{HTML: "<p>Hello.</p>"}),
		"bcc":        input(rohrpost.Message{Bcc: []rohrpost.Address{{Address: "geheim@example.org"}}, Text: "psst"}),
		"empty":      input(rohrpost.Message{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fixedBoundaries(t, mustCompose(t, in))
			file := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

var boundary = regexp.MustCompile(`boundary="([A-Z2-7]{52})"`)

// fixedBoundaries replaces the random boundaries by boundary-1, -2, -3.
func fixedBoundaries(t *testing.T, b []byte) []byte {
	t.Helper()
	for i, m := range boundary.FindAllSubmatch(b, -1) {
		b = bytes.ReplaceAll(b, m[1], []byte("boundary-"+strconv.Itoa(i+1)))
	}
	return b
}

func mustCompose(t *testing.T, in compose.Input) []byte {
	t.Helper()
	out, err := compose.Compose(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, out)
	return out
}

// checkText is what every mail must be.
func checkText(t *testing.T, out []byte) {
	t.Helper()
	if bytes.Count(out, []byte("\r\n")) != bytes.Count(out, []byte("\n")) || bytes.Count(out, []byte("\r")) != bytes.Count(out, []byte("\n")) {
		t.Errorf("a bare CR or LF in %q", out)
	}
	for line := range bytes.SplitSeq(out, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d octets: %q …", len(line), line[:80])
		}
	}
	_, body, found := bytes.Cut(out, []byte("\r\n\r\n"))
	if !found {
		t.Fatalf("no body in %q", out)
	}
	for _, c := range body {
		if c >= 0x80 || c == 0 {
			t.Fatalf("octet %#x in the body", c)
		}
	}
	wiretest.Check(t, out, false)
}

// TestParsed reads the mail back with another library.
func TestParsed(t *testing.T) {
	t.Parallel()
	in := everything()
	e, err := message.Read(bytes.NewReader(mustCompose(t, in)))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := e.Header.Text("Subject")
	if err != nil || subject != in.Message.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	h := mail.Header(e.Header.Map())
	for name, want := range map[string]string{
		"From":     "Service <service@acme.example>",
		"To":       "Müller, Jörg <joerg@xn--bcher-kva.example> b@example.org",
		"Cc":       `Ann "A" O'Neil <ann@example.org>`,
		"Reply-To": "Max <max@acme.example>",
	} {
		list, err := h.AddressList(name)
		var got []string
		for _, a := range list {
			got = append(got, strings.TrimSpace(a.Name+" <"+a.Address+">"))
		}
		if s := strings.ReplaceAll(strings.Join(got, " "), " <b@example.org>", " b@example.org"); err != nil || s != want {
			t.Errorf("%s %q, %v, want %q", name, s, err, want)
		}
	}
	type part struct{ Type, Disposition, Name, ID, Body string }
	var got []part
	err = e.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		typ, _, _ := e.Header.ContentType()
		disposition, parameters, _ := e.Header.ContentDisposition()
		p := part{Type: typ, Disposition: disposition, Name: parameters["filename"], ID: e.Header.Get("Content-Id")}
		if !strings.HasPrefix(typ, "multipart/") {
			b, err := io.ReadAll(e.Body)
			if err != nil {
				return err
			}
			p.Body = string(b)
		}
		got = append(got, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m, crlf := in.Message, strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n")
	want := []part{
		{Type: "multipart/mixed"},
		{Type: "multipart/alternative"},
		{Type: "text/plain", Body: crlf.Replace(m.Text)},
		{Type: "multipart/related"},
		{Type: "text/html", Body: crlf.Replace(m.HTML)},
		{Type: "image/png", Disposition: "inline", Name: "logo.png", ID: "<logo@acme>", Body: string(m.Attachments[1].Content)},
		{Type: "application/pdf", Disposition: "attachment", Name: "Rechnung März.pdf", Body: string(m.Attachments[0].Content)},
		{Type: "message/rfc822", Disposition: "attachment", Name: "mail.eml", Body: string(m.Attachments[2].Content) + "\r\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	header := func(in compose.Input) mail.Header {
		m, err := mail.ReadMessage(bytes.NewReader(mustCompose(t, in)))
		if err != nil {
			t.Fatal(err)
		}
		return m.Header
	}
	h := header(everything())
	for name, want := range map[string]string{
		"Date": "Wed, 04 Mar 2026 05:06:07 +0100", "Message-Id": "<4711@rohrpost.example>", "Mime-Version": "1.0",
		"Auto-Submitted": "auto-generated", "X-Order": "4711", "X-Auto-Response-Suppress": "All", "Precedence": "", "Bcc": "", "User-Agent": "", "X-Mailer": "", "Sender": "",
		"List-Unsubscribe": "<https://acme.example/unsubscribe?id=4711>, <mailto:unsubscribe@acme.example>",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if diff := cmp.Diff([]string{"eins", "zwei"}, h["X-Tag"]); diff != "" {
		t.Errorf("X-Tag (-want +got):\n%s", diff)
	}
	if h := header(input(rohrpost.Message{Origin: rohrpost.Manual})); h.Get("Auto-Submitted") != "" || h.Get("X-Auto-Response-Suppress") != "" {
		t.Errorf("a person's mail says %v", h)
	}
	if got := header(input(rohrpost.Message{Category: rohrpost.Marketing})).Get("Precedence"); got != "bulk" {
		t.Errorf("Precedence of marketing: %q", got)
	}
	if got := header(input(rohrpost.Message{Headers: []rohrpost.Header{{Name: "auto-submitted", Value: "auto-replied"}}})).Get("Auto-Submitted"); got != "auto-replied" {
		t.Errorf("asked for auto-replied, got %q", got)
	}
	out := mustCompose(t, everything())
	if bytes.Contains(out, []byte("geheim@")) || bytes.Contains(out, []byte("ignored@")) {
		t.Error("a Bcc recipient, or the message's own From, is in the mail")
	}
}

// An address that needs SMTPUTF8 stands in the header only where there is SMTPUTF8, and
// one that no server can know nowhere: nobody else's mail is lost because of it.
func TestUTF8(t *testing.T) {
	t.Parallel()
	in := input(rohrpost.Message{
		To: []rohrpost.Address{{Address: "grün@bücher.example"}, {Address: "gut@example.org"}, {Address: "info@müller_gmbh.example"}},
		Cc: []rohrpost.Address{{Name: "Jörg", Address: "jörg@example.org"}},
	})
	in.ReplyTo = []rohrpost.Address{{Address: "größe@acme.example"}}
	body, utf8, err := compose.Both(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wiretest.Check(t, body, false)
	wiretest.Check(t, utf8, true)
	if got := string(body); !strings.Contains(got, "\r\nTo: <gut@example.org>\r\n") || strings.Contains(got, "Cc:") || strings.Contains(got, "Reply-To:") {
		t.Errorf("without SMTPUTF8: %s", got)
	}
	for _, want := range []string{"To: <grün@xn--bcher-kva.example>, <gut@example.org>\r\n", "Cc: =?UTF-8?Q?J=C3=B6rg?= <jörg@example.org>\r\n", "Reply-To: <größe@acme.example>\r\n"} {
		if !strings.Contains(string(utf8), "\r\n"+want) {
			t.Errorf("with SMTPUTF8, no %q in %s", want, utf8)
		}
	}
	in.From.Address = "größe@acme.example"
	if body, utf8, err = compose.Both(t.Context(), in); err != nil || body != nil || !strings.Contains(string(utf8), "From: Service <größe@acme.example>\r\n") {
		t.Errorf("its sender needs SMTPUTF8: %q, %q, %v", body, utf8, err)
	}
	if body, utf8, err = compose.Both(t.Context(), input(rohrpost.Message{Text: "x"})); err != nil || body == nil || utf8 != nil {
		t.Errorf("plain: %q, %q, %v", body, utf8, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*compose.Input){
		"no date":                    func(in *compose.Input) { in.Date = time.Time{} },
		"no message id":              func(in *compose.Input) { in.MessageID = "" },
		"message id without <>":      func(in *compose.Input) { in.MessageID = "a@b" },
		"message id with a line end": func(in *compose.Input) { in.MessageID = "<a@b>\r\nX: y<>" },
		"no From":                    func(in *compose.Input) { in.From.Address = "" },
		"line end in the From name":  func(in *compose.Input) { in.From.Name = "a\r\nBcc: b@c" },
		"Reply-To":                   func(in *compose.Input) { in.ReplyTo = []rohrpost.Address{{Address: "a b@c"}} },
		"To":                         func(in *compose.Input) { in.Message.To = []rohrpost.Address{{Address: "a@b\r\n"}} },
		"From, not a domain":         func(in *compose.Input) { in.From.Address = "a@xn--ü.example" },
		"line end in the subject":    func(in *compose.Input) { in.Message.Subject = "a\nb" },
		"subject not UTF-8":          func(in *compose.Input) { in.Message.Subject = "a\xff" },
		"a link that is none":        func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "List-Help", Value: "x"}} },
		"header name":                func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "X Y"}} },
		"header name with colon":     func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "X:y\r\nZ"}} },
		"empty header name":          func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Value: "x"}} },
		"reserved header":            func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "bcc", Value: "a@b"}} },
		"reserved Content- header":   func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "CONTENT-type", Value: "a/b"}} },
		"line end in a header":       func(in *compose.Input) { in.Message.Headers = []rohrpost.Header{{Name: "X", Value: "a\r\n b"}} },
		"content type":               func(in *compose.Input) { in.Message.Attachments = []rohrpost.Attachment{{ContentType: "a/b\r\nX: y"}} },
		"content type without slash": func(in *compose.Input) { in.Message.Attachments = []rohrpost.Attachment{{ContentType: "attachment"}} },
		"content id":                 func(in *compose.Input) { in.Message.Attachments = []rohrpost.Attachment{{ContentID: "a>\r\nX: y"}} },
		"line end in a file name":    func(in *compose.Input) { in.Message.Attachments = []rohrpost.Attachment{{Name: "a\r\nb"}} },
	} {
		in := input(rohrpost.Message{Text: "x"})
		change(&in)
		if out, err := compose.Compose(t.Context(), in); !errors.Is(err, compose.ErrMessage) || out != nil || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestEncoding shows which text goes as it is.
func TestEncoding(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 998)
	for name, c := range map[string]struct{ text, encoding, body string }{
		"ASCII":          {"a\nb", "7bit", "a\r\nb\r\n"},
		"CRLF":           {"a\r\nb\r\n", "7bit", "a\r\nb\r\n"},
		"CR":             {"a\rb\r\r\n", "7bit", "a\r\nb\r\n\r\n"},
		"longest line":   {line, "7bit", line + "\r\n"},
		"too long line":  {"\n" + line + "x", "quoted-printable", "\r\n" + soft(line+"x") + "\r\n"},
		"NUL":            {"a\x00", "quoted-printable", "a=00\r\n"},
		"umlaut":         {"ä", "quoted-printable", "=C3=A4\r\n"},
		"space at end":   {"ä \t\nb \n", "quoted-printable", "=C3=A4 =09\r\nb=20\r\n"},
		"exactly a line": {"ä" + strings.Repeat("y", 69), "quoted-printable", "=C3=A4" + strings.Repeat("y", 69) + "\r\n"},
		"one more":       {"ä" + strings.Repeat("y", 70), "quoted-printable", "=C3=A4" + strings.Repeat("y", 69) + "=\r\ny\r\n"},
		"no room":        {strings.Repeat("y", 73) + "ä", "quoted-printable", strings.Repeat("y", 73) + "=\r\n=C3=A4\r\n"},
		"lone dot":       {".\n", "7bit", ".\r\n"},
		"empty":          {"", "7bit", ""},
	} {
		out := string(mustCompose(t, input(rohrpost.Message{Text: c.text})))
		header, body, _ := strings.Cut(out, "\r\n\r\n")
		if !strings.Contains(header+"\r\n", "Content-Transfer-Encoding: "+c.encoding+"\r\n") || body != c.body {
			t.Errorf("%s: body %q, header %q", name, body, header)
		}
	}
}

// soft breaks a long word as quoted-printable does.
func soft(s string) string {
	var b strings.Builder
	for len(s) > 75 {
		b.WriteString(s[:75] + "=\r\n")
		s = s[75:]
	}
	return b.String() + s
}
