package compose

import (
	"bytes"
	"context"
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

	// linesPerLook is how many lines are encoded between two looks at the
	// context: less than a megabyte, and under a millisecond.
	linesPerLook = 1 << 10
)

// An encoder appends a body in its transfer encoding. It stops early, with
// something unfinished, when ctx ends.
type encoder[T ~string | ~[]byte] func(ctx context.Context, dst []byte, body T) []byte

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

// bodyOf encodes a body into the mail; the error is that of ctx.
func bodyOf[T ~string | ~[]byte](ctx context.Context, out *mailText, encode encoder[T], body T) bodyFunc {
	return func(io.Writer) (int64, error) {
		out.b = encode(ctx, out.b, body)
		return 0, ctx.Err()
	}
}

// setText adds the plain text first and the HTML after it, as RFC 2046 §5.1.4
// wants the best alternative last. A mail without any body gets an empty text.
func setText(ctx context.Context, msg *gomail.Msg, out *mailText, m *rohrpost.Message) {
	if m.Text != "" || m.HTML == "" {
		encoding, write := textBody(ctx, out, m.Text)
		msg.SetBodyWriter(gomail.TypeTextPlain, write, gomail.WithPartEncoding(encoding))
	}
	if m.HTML != "" {
		encoding, write := textBody(ctx, out, m.HTML)
		msg.AddAlternativeWriter(gomail.TypeTextHTML, write, gomail.WithPartEncoding(encoding))
	}
}

func textBody(ctx context.Context, out *mailText, text string) (gomail.Encoding, bodyFunc) {
	text = lineFeeds(text)
	if sevenBit(text) {
		return gomail.EncodingUSASCII, bodyOf(ctx, out, appendLines, text)
	}
	return gomail.EncodingQP, bodyOf(ctx, out, appendQuoted, text)
}

// lineFeeds makes one of each line end: CRLF, CR or LF.
func lineFeeds(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "\r")
		if !found {
			break
		}
		if b.Len() == 0 {
			b.Grow(len(text))
		}
		b.WriteString(before)
		b.WriteByte('\n')
		text = strings.TrimPrefix(rest, "\n")
	}
	if b.Len() == 0 {
		return text
	}
	b.WriteString(text)
	return b.String()
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
func appendLines(ctx context.Context, dst []byte, text string) []byte {
	for lines := 1; len(text) > 0; lines++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		dst = append(dst, line...)
		dst = append(dst, '\r', '\n')
		if lines%linesPerLook == 0 && ctx.Err() != nil {
			break
		}
	}
	return dst
}

// appendQuoted is quoted-printable (RFC 2045 §6.7) of text with LF line ends. It
// takes a quarter of mime/quotedprintable's time, which was half of composing.
func appendQuoted(ctx context.Context, dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	lines := 0
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		for room := quotedLine - 1; len(line) > 0; {
			run := literals(line, room+1)
			switch {
			case run > room, run == 0 && room < len("=XX"):
				run = min(run, room)
				dst = append(dst, line[:run]...)
				dst = append(dst, "=\r\n"...)
				room = quotedLine - 1
				if lines++; lines%linesPerLook == 0 && ctx.Err() != nil {
					return dst
				}
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
		if lines++; lines%linesPerLook == 0 && ctx.Err() != nil {
			return dst
		}
	}
	return dst
}

// encodedLen is about the size of an encoded body. Of a large one it is never too
// small: to grow is to have it in memory twice.
func encodedLen(text string) int {
	const large = 64 << 10
	if len(text) < large {
		return len(text) * 9 / 8
	}
	size := len(text) + 3*len(text)/(quotedLine-len("=XX")) // soft line breaks
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n':
			size++
		case c < ' ', c > '~', c == '=':
			size += len("=XX") // one more for its share of soft line breaks
		}
	}
	return size
}

// literals is the number of leading octets of a line that stand for themselves,
// counted up to most: to count on would be to read the line once for each of the
// lines that it becomes. White space at its end does not (RFC 2045 §6.7 rule 3).
func literals(line string, most int) int {
	n, end := 0, min(len(line), most)
	for n < end && (line[n] >= ' ' && line[n] <= '~' && line[n] != '=' || line[n] == '\t') {
		n++
	}
	if n == len(line) && n > 0 && (line[n-1] == ' ' || line[n-1] == '\t') {
		n--
	}
	return n
}

// appendBase64 is base64 in lines (RFC 2045 §6.8).
func appendBase64(ctx context.Context, dst, content []byte) []byte {
	const raw = base64Line / 4 * 3
	for lines := 1; len(content) > 0; lines++ {
		n := min(raw, len(content))
		dst = base64.StdEncoding.AppendEncode(dst, content[:n])
		dst = append(dst, '\r', '\n')
		content = content[n:]
		if lines%linesPerLook == 0 && ctx.Err() != nil {
			break
		}
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
