package compose

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/rohrpost/rohrpost"
)

const (
	maxLine    = 998 // octets without CRLF, RFC 5322 §2.1.1
	quotedLine = 76  // octets with the soft line break's "=", RFC 2045 §6.7
	base64Line = 76  // octets, RFC 2045 §6.8
)

// mailText is the mail as it grows.
type mailText struct{ b []byte }

func (t *mailText) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	return len(p), nil
}

// bodyFunc is go-mail's body writer. Ours append to the mail itself and leave
// the writer they get unused: it would encode once more, through another buffer.
// That is right because WriteTo writes into the mail without buffering.
type bodyFunc = func(io.Writer) (int64, error)

func (t *mailText) body(encode func([]byte, string) []byte, text string) bodyFunc {
	return func(io.Writer) (int64, error) {
		t.b = encode(t.b, text)
		return 0, nil
	}
}

// setText adds the plain text first and the HTML after it, as RFC 2046 §5.1.4
// wants the best alternative last. A mail without any body gets an empty text.
func setText(msg *gomail.Msg, out *mailText, m *rohrpost.Message) {
	if m.Text != "" || m.HTML == "" {
		encoding, write := textBody(out, m.Text)
		msg.SetBodyWriter(gomail.TypeTextPlain, write, gomail.WithPartEncoding(encoding))
	}
	if m.HTML != "" {
		encoding, write := textBody(out, m.HTML)
		msg.AddAlternativeWriter(gomail.TypeTextHTML, write, gomail.WithPartEncoding(encoding))
	}
}

func textBody(out *mailText, text string) (gomail.Encoding, bodyFunc) {
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	if sevenBit(text) {
		return gomail.EncodingUSASCII, out.body(appendLines, text)
	}
	return gomail.EncodingQP, out.body(appendQuoted, text)
}

// sevenBit tells whether text can go as it is: ASCII without NUL, in lines of at
// most 998 octets (RFC 2045 §2.7).
func sevenBit(text string) bool {
	if !isASCII(text) || strings.IndexByte(text, 0) >= 0 {
		return false
	}
	for len(text) > 0 {
		var line string
		if line, text, _ = strings.Cut(text, "\n"); len(line) > maxLine {
			return false
		}
	}
	return true
}

// appendLines ends every line of text, the last one too, with CRLF.
func appendLines(dst []byte, text string) []byte {
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		dst = append(dst, line...)
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// appendQuoted is quoted-printable (RFC 2045 §6.7) of text with LF line ends. It
// takes a quarter of mime/quotedprintable's time, which was half of composing.
func appendQuoted(dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		for room := quotedLine - 1; len(line) > 0; {
			run := literals(line)
			switch {
			case run > room, run == 0 && room < len("=XX"):
				run = min(run, room)
				dst = append(dst, line[:run]...)
				dst = append(dst, "=\r\n"...)
				room = quotedLine - 1
			case run == 0:
				dst = append(dst, '=', hex[line[0]>>4], hex[line[0]&15])
				room -= len("=XX")
				run = 1
			default:
				dst = append(dst, line[:run]...)
				room -= run
			}
			line = line[run:]
		}
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// literals is the number of leading octets of a line that stand for themselves.
// White space at its end does not (RFC 2045 §6.7 rule 3).
func literals(line string) int {
	n := 0
	for n < len(line) && (line[n] >= ' ' && line[n] <= '~' && line[n] != '=' || line[n] == '\t') {
		n++
	}
	if n == len(line) && n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
		n--
	}
	return n
}

// appendBase64 is base64 in lines (RFC 2045 §6.8).
func appendBase64(dst, content []byte) []byte {
	const raw = base64Line / 4 * 3
	for len(content) > 0 {
		n := min(raw, len(content))
		dst = base64.StdEncoding.AppendEncode(dst, content[:n])
		dst = append(dst, '\r', '\n')
		content = content[n:]
	}
	return dst
}

// shortLines is the last check on what header fields can still get wrong.
func shortLines(b []byte) bool {
	for len(b) > maxLine {
		i := bytes.IndexByte(b, '\n')
		if i > maxLine+1 || i < 0 {
			return false
		}
		b = b[i+1:]
	}
	return true
}
