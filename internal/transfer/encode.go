package transfer

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/rohrpost/rohrpost/internal/idn"
)

// LineFeeds makes one of each line end: CRLF, CR or LF.
func LineFeeds(text string) string {
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

// SevenBit tells whether text can go as it is: ASCII without NUL, in lines of at
// most 998 octets (RFC 2045 §2.7).
func SevenBit(text string) bool {
	if !idn.ASCII(text) || strings.IndexByte(text, 0) >= 0 {
		return false
	}
	for len(text) > 0 {
		var line string
		if line, text, _ = strings.Cut(text, "\n"); len(line) > MaxLine {
			return false
		}
	}
	return true
}

// AppendLines ends every line of text, the last one too, with CRLF. It stops early when
// ctx ends.
func AppendLines(ctx context.Context, dst []byte, text string) []byte {
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

// AppendQuoted is quoted-printable (RFC 2045 §6.7) of text with LF line ends. It
// takes a quarter of mime/quotedprintable's time, which was half of composing.
func AppendQuoted(ctx context.Context, dst []byte, text string) []byte {
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

// AppendBase64 is base64 in lines (RFC 2045 §6.8). It stops early when ctx ends.
func AppendBase64(ctx context.Context, dst, content []byte) []byte {
	const raw = LineLen / 4 * 3
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
