package rawmail

import (
	"bytes"
	"context"
	"encoding/base64"
)

const (
	quotedLine = 76 // octets with the "=" of a soft line break, RFC 2045 §6.7
	base64Line = 76 // octets, RFC 2045 §6.8
	base64Raw  = base64Line / 4 * 3

	few = 100 // octets above 127 that make no text unreadable or large
)

// encoder is how the part is encoded: the transfer encoding, what appends it, and about how
// many octets more that is. Text stays readable, unless it is long and a quarter of it is no
// ASCII: quoted-printable is larger than base64 then.
func (l leaf) encoder() (encoding string, write func(ctx context.Context, dst, body []byte) []byte, more int) {
	size := l.end - l.start
	quoted, coded := 2*l.high+size/20, size*3/8
	switch {
	case l.encoding == "quoted-printable":
		return l.encoding, requote, quoted
	case l.encoding == "base64":
		return l.encoding, rewrap, size / 32
	case l.text() && (l.high <= few || 4*l.high <= size):
		return "quoted-printable", quote, quoted
	case l.encoding == "binary" && !l.lines():
		return "base64", appendBase64, coded
	}
	return "base64", func(ctx context.Context, dst, body []byte) []byte {
		return appendBase64(ctx, dst, appendCRLF(make([]byte, 0, len(body)+len(body)/32), body))
	}, coded
}

// appendCRLF appends text with CRLF line ends. There is no CR in it but before LF.
func appendCRLF(dst, text []byte) []byte {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(dst, text...)
		}
		if i > 0 && text[i-1] == '\r' {
			dst = append(dst, text[:i+1]...)
		} else {
			dst = append(dst, text[:i]...)
			dst = append(dst, '\r', '\n')
		}
		text = text[i+1:]
	}
	return dst
}

// quote is quoted-printable of text.
func quote(ctx context.Context, dst, text []byte) []byte { return quoteLines(ctx, dst, text, false) }

// requote mends text that is called quoted-printable and has lines that are too long, or
// octets that no server has to take.
func requote(ctx context.Context, dst, text []byte) []byte { return quoteLines(ctx, dst, text, true) }

func quoteLines(ctx context.Context, dst, text []byte, done bool) []byte {
	q := quoter{done: done}
	for len(text) > 0 && !q.over {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if done {
			line = bytes.TrimRight(line, " \t") // as who decodes it does (RFC 2045 §6.7 rule 3)
		}
		dst = q.line(ctx, dst, line)
		if found {
			dst = append(dst, '\r', '\n')
		}
		text = rest
	}
	return dst
}

// A quoter writes quoted-printable line by line (RFC 2045 §6.7).
type quoter struct {
	done  bool // the text has been quoted already
	lines int
	over  bool // the context has ended
}

func (q *quoter) line(ctx context.Context, dst, line []byte) []byte {
	const hex = "0123456789ABCDEF"
	q.look(ctx)
	for room, broken := quotedLine-1, false; len(line) > 0 && !q.over; {
		unit, literal := q.unit(line)
		if broken && room == quotedLine-1 && line[0] == '-' {
			literal = false // or the end of a long line could become a delimiter
		}
		need := len("=XX")
		if literal {
			need = unit
		}
		if need > room && (need != room+1 || unit < len(line)) { // the last octet of a line may stand where the "=" would
			dst = append(dst, "=\r\n"...)
			room, broken = quotedLine-1, true
			q.look(ctx)
			continue
		}
		if literal {
			dst = append(dst, line[:unit]...)
		} else {
			dst = append(dst, '=', hex[line[0]>>4], hex[line[0]&15])
		}
		room -= need
		line = line[unit:]
	}
	return dst
}

// unit is the length of what begins the line and may not be divided, and whether it
// stands for itself.
func (q *quoter) unit(line []byte) (length int, literal bool) {
	c := line[0]
	switch {
	case c == '=' && q.done:
		switch {
		case len(line) == 1:
			return 1, true // a soft line break
		case len(line) > 2 && isHex(line[1]) && isHex(line[2]):
			return 3, true
		}
		return 1, false
	case c == '=':
		return 1, false
	case c == ' ' || c == '\t':
		return 1, len(line) > 1 // at the end of a line others may take it away
	}
	return 1, c > ' ' && c <= '~'
}

func (q *quoter) look(ctx context.Context) {
	if q.lines++; q.lines%linesPerLook == 0 && ctx.Err() != nil {
		q.over = true
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

func appendBase64(ctx context.Context, dst, content []byte) []byte {
	for lines := 1; len(content) > 0; lines++ {
		n := min(base64Raw, len(content))
		dst = base64.StdEncoding.AppendEncode(dst, content[:n])
		if content = content[n:]; len(content) > 0 {
			dst = append(dst, '\r', '\n')
		}
		if lines%linesPerLook == 0 && ctx.Err() != nil {
			break
		}
	}
	return dst
}

// rewrap divides base64 into lines that are short enough. Other octets mean nothing there
// (RFC 2045 §6.8); at the beginning of a line they could be a delimiter.
func rewrap(ctx context.Context, dst, text []byte) []byte {
	room, lines := base64Line, 1
	for _, c := range text {
		if !isBase64(c) {
			continue
		}
		if room == 0 {
			dst = append(dst, '\r', '\n')
			room = base64Line
			if lines++; lines%linesPerLook == 0 && ctx.Err() != nil {
				break
			}
		}
		dst = append(dst, c)
		room--
	}
	return dst
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}
