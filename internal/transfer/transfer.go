// Package transfer encodes bodies for 7-bit transports (RFC 2045 §6): as they are, in
// quoted-printable or in base64, each in a time that grows with the body. It tells
// beforehand how large they become.
package transfer

import (
	"context"
	"strings"
)

const (
	// MaxLine is the longest line, in octets without CRLF (RFC 5322 §2.1.1).
	MaxLine = 998

	quotedLine = 76 // octets with the soft line break's "=", RFC 2045 §6.7
	// LineLen is the length of a line of base64, in octets (RFC 2045 §6.8).
	LineLen = 76

	// linesPerLook is how many lines are encoded between two looks at the
	// context: less than a megabyte, and under a millisecond.
	linesPerLook = 1 << 10
)

// Encoding is the value of Content-Transfer-Encoding.
type Encoding string

// The encodings.
const (
	Plain  Encoding = "7bit"
	Quoted Encoding = "quoted-printable"
	Base64 Encoding = "base64"
)

// Choose is the encoding of a text with LF line ends: none if it can go as it is, else
// quoted-printable, which a person can read, unless base64 is much shorter. size is at
// least that of the encoded text, and hardly more.
func Choose(text string) (e Encoding, size int64) {
	crlf := int64(len(text) + strings.Count(text, "\n") + len("\r\n"))
	if SevenBit(text) {
		return Plain, crlf
	}
	encoded := Base64Len(crlf)
	if quoted := quotedLen(text); quoted <= longestQuoted(encoded) {
		return Quoted, quoted
	}
	return Base64, encoded
}

// longestQuoted is how long quoted-printable may be beside so much base64. Of a short
// text the difference is nothing.
func longestQuoted(encoded int64) int64 {
	const nothing = 100 // octets
	return encoded*5/4 + nothing
}

// AppendText appends a text with LF line ends in an encoding. It stops early, with
// something unfinished, when ctx ends.
func AppendText(ctx context.Context, dst []byte, text string, e Encoding) []byte {
	switch e {
	case Plain:
		return AppendLines(ctx, dst, text)
	case Quoted:
		return AppendQuoted(ctx, dst, text)
	case Base64:
	}
	return AppendBase64(ctx, dst, canonical(text))
}

// canonical is the text with CRLF line ends, the last one too, which base64 encodes (RFC
// 2045 §6.8).
func canonical(text string) []byte {
	b := make([]byte, 0, len(text)+strings.Count(text, "\n")+len("\r\n"))
	for line := range strings.Lines(text) {
		b = append(append(b, strings.TrimSuffix(line, "\n")...), '\r', '\n')
	}
	return b
}

// TextLen is the size of Choose, whatever the line ends of the text.
func TextLen(text string) int64 {
	_, size := Choose(LineFeeds(text))
	return size
}

// Base64Len is the size of n octets in base64, in lines of 76 characters and CRLF.
func Base64Len(n int64) int64 {
	encoded := (n + 2) / 3 * 4
	return encoded + (encoded+LineLen-1)/LineLen*2
}

// quotedLen is at least the size in quoted-printable.
func quotedLen(text string) int64 {
	size, line := int64(0), 0
	for i := range len(text) {
		width := 1
		switch c := text[i]; {
		case c == '\n':
			size, line = size+int64(len("\r\n")), 0
			continue
		case c == '\r':
			width = len("=0D")
		case c == '=' || c > '~' || c < ' ' && c != '\t', (c == ' ' || c == '\t') && (i+1 == len(text) || text[i+1] == '\n' || text[i+1] == '\r'):
			width = len("=XX")
		}
		if line += width; line > quotedLine-1 {
			size, line = size+int64(len("=\r\n")), width
		}
		size += int64(width)
	}
	return size + int64(len("\r\n"))
}
