// Package conceal takes secrets out of texts that somebody else has written: replies
// of servers, and errors that quote them. A server knows the password that it was
// told, and some repeat it.
//
// A secret is found as it is, in base64 (also inside of something longer, as in the
// response of AUTH PLAIN), in hexadecimal, percent-encoded, quoted-printable, or
// escaped as in JSON, Go or HTML; in any case of letters; with white space in it; and
// split over the lines of a reply, whatever codes those begin with. Most of a secret
// is taken out like all of it.
package conceal

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

const (
	// shortest is the length from which on a secret is told from any other text.
	shortest = 4
	// gramSize is how many octets are looked up at a time; of a shorter form all.
	gramSize = 8
	// longestPart is how much of a long form is taken out like all of it.
	longestPart = 24
	// longest is how much of a secret is looked for.
	longest = 16 << 10
)

// A Set knows the secrets that must not be in a text. The zero value knows none, and
// neither does a nil Set. Text may be called from several goroutines, Add from one,
// and before.
type Set struct {
	forms []form
	short []form
	grams map[uint64]place
	seen  [64]uint64 // a bit for each gram: most of any text is no secret's
}

// A form is a way to write a secret, folded.
type form struct {
	text []byte
	part int // so much of it is taken out like all of it
}

// A place is where a gram stands.
type place struct{ form, at int }

// New is a set of these secrets.
func New(secrets ...secret.String) *Set {
	s := &Set{}
	for _, x := range secrets {
		s.Add(x.Reveal())
	}
	return s
}

// Add adds a secret. One of fewer than four octets is in every text.
func (s *Set) Add(value string) {
	if len(value) < shortest {
		return
	}
	value = value[:min(len(value), longest)]
	s.add(value)
	s.add(hex.EncodeToString([]byte(value)))
	for before := range 3 {
		s.add(inBase64(value, before))
	}
}

// inBase64 is the part of an encoded text that value alone decides, with so many
// octets before it (modulo 3) and any number behind.
func inBase64(value string, before int) string {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), value...))
	whole := (before + len(value)) * 8 / 6
	return text[(before*8+5)/6 : whole]
}

func (s *Set) add(text string) {
	f := form{text: fold(text)}
	switch n := len(f.text); {
	case n < shortest:
		return
	case n < gramSize:
		s.short = append(s.short, f)
		return
	default:
		f.part = min(max(n*2/3, gramSize), longestPart)
	}
	if s.grams == nil {
		s.grams = map[uint64]place{}
	}
	s.forms = append(s.forms, f)
	// Any part of that size has one of these grams in it.
	for at := 0; at+gramSize <= len(f.text); at += f.part - gramSize + 1 {
		g := gram(f.text[at:])
		word, bit := slot(g)
		s.seen[word] |= bit
		if _, known := s.grams[g]; !known {
			s.grams[g] = place{len(s.forms) - 1, at}
		}
	}
}

func gram(b []byte) uint64 { return binary.BigEndian.Uint64(b[:gramSize]) }

// slot is the bit of a gram.
func slot(g uint64) (word int, bit uint64) {
	h := g * 0x9e3779b97f4a7c15 >> 52
	return int(h >> 6), 1 << (h & 63)
}

// Empty reports whether the set knows no secret.
func (s *Set) Empty() bool { return s == nil || len(s.forms)+len(s.short) == 0 }

// Text is the text without the secrets.
func (s *Set) Text(text string) string { return s.Within("", text, "") }

// Within is the text without the secrets and without the parts of those that begin on
// a line before it, or end on a line after it.
func (s *Set) Within(before, text, after string) string {
	if s.Empty() || text == "" {
		return text
	}
	from := 0
	if before != "" {
		from = len(before) + 1
		text = before + "\n" + text
	}
	to := len(text)
	if after != "" {
		text += "\n" + after
	}
	var found []bool // by octet of text; nil: nothing is found
	r := &reading{folded: make([]byte, 0, len(text))}
	for _, w := range ways(text) {
		found = s.search(r, text, w, found)
	}
	if found == nil {
		return text[from:to]
	}
	var b strings.Builder
	for i := from; i < to; i++ {
		switch {
		case !found[i]:
			b.WriteByte(text[i])
		case i == from || !found[i-1]:
			b.WriteString(Redacted)
		}
	}
	return b.String()
}
