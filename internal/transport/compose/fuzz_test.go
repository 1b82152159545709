package compose_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

// FuzzHeader shows that no name, value, address or file name makes a header
// field of its own, or ends the header.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		"X-Order", "4711", "a\r\nBcc: x@y", "a\n b", "Grüße", strings.Repeat("word ", 40), strings.Repeat("x", 80) + "  " + strings.Repeat("y", 80),
		"a\r\n\r\nbody", "=?utf-8?q?a=0D=0AX:_y?=", "\u2028", "\x00", " \t ", strings.Repeat("ü", 300), `"quoted" <a@b>`, "a/b; c=\"d\r\ne\"", "Max <max@example.org>", "max@example.org",
	} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, name, value, address string) {
		in := input(rohrpost.Message{
			Subject: value, Text: "text",
			Headers:     []rohrpost.Header{{Name: name, Value: value}},
			Cc:          []rohrpost.Address{{Name: value, Address: address}},
			Attachments: []rohrpost.Attachment{{Name: value, ContentType: name, Content: []byte("x")}, {Name: address, ContentID: address}},
		})
		variants := []func(){
			func() {},
			func() { in.Message.Attachments = nil },
			func() { in.Message.Headers = nil },
			func() { in.Message.Cc = nil },
			func() { in.From.Name = value },
		}
		for _, change := range variants {
			change()
			out, err := compose.Compose(t.Context(), in)
			if err != nil {
				continue
			}
			checkFields(t, out, name)
		}
	})
}

func checkFields(t *testing.T, out []byte, name string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(out))
	if err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	header, _, _ := bytes.Cut(out, []byte("\r\n\r\n"))
	for line := range strings.SplitSeq(string(header), "\r\n") {
		if strings.TrimSpace(line) == "" || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("an empty line, or a bare CR or LF, in the header %q", header)
		}
	}
	for field, values := range m.Header {
		switch field {
		case "Date", "Message-Id", "Mime-Version", "Subject", "Auto-Submitted", "X-Auto-Response-Suppress", "From", "To", "Cc",
			"Content-Type", "Content-Transfer-Encoding":
		default:
			if !strings.EqualFold(field, name) {
				t.Fatalf("field %q out of nothing in %q", field, header)
			}
		}
		if len(values) != 1 {
			t.Fatalf("%d fields %s", len(values), field)
		}
	}
	if _, parameters, _ := mime.ParseMediaType(m.Header.Get("Content-Type")); parameters["boundary"] != "" {
		checkParts(t, m.Body, parameters["boundary"])
	}
}

func checkParts(t *testing.T, body io.Reader, boundary string) {
	t.Helper()
	for r := multipart.NewReader(body, boundary); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for field, values := range p.Header {
			switch field {
			case "Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Id":
			default:
				t.Fatalf("field %q out of nothing in a part", field)
			}
			if len(values) != 1 || strings.ContainsAny(values[0], "\r\n") {
				t.Fatalf("%s %q", field, values)
			}
		}
		media, parameters, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatalf("Content-Type %q: %v", p.Header.Get("Content-Type"), err)
		}
		if strings.HasPrefix(media, "multipart/") {
			checkParts(t, p, parameters["boundary"])
		}
	}
}

// FuzzText shows that a text arrives as it was, but for its line ends, in a mail
// of 7-bit lines.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "ä", "a\r\nb", "a\rb", " \n\t\n", strings.Repeat("=", 100), strings.Repeat("ü", 100), strings.Repeat("x", 2000), "\x00\xff", "a \r", "line\n.\n.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip("Validate refuses it")
		}
		out := mustCompose(t, input(rohrpost.Message{Text: text}))
		m, err := mail.ReadMessage(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		body := m.Body
		if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(body)
		}
		if m.Header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		got, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
		if want != "" && !strings.HasSuffix(want, "\r\n") {
			want += "\r\n"
		}
		if string(got) != want {
			t.Fatalf("text %q arrived as %q", text, got)
		}
		_, raw, _ := bytes.Cut(out, []byte("\r\n\r\n"))
		for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
			if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" && len(line) > 76 {
				t.Fatalf("a quoted-printable line of %d octets", len(line))
			}
		}
	})
}
