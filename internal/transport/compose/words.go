package compose

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/idn"
)

const (
	encodedWord = 75 // octets of an encoded-word at most (RFC 2047 §2)
	bEncoding   = "=?UTF-8?B?"
	qEncoding   = "=?UTF-8?Q?"
	wordEnd     = "?="
	leastWord   = len(bEncoding) + 8 + len(wordEnd) // holds the longest character
)

// text adds an unstructured value (RFC 5322 §3.2.5). White space is the sender's: what
// folding or a reader could change of it is encoded, and so is what a reader would take
// for an encoded-word.
func (f *field) text(value string) {
	if plain(value) && foldable(value) {
		f.words(value)
		return
	}
	f.encoded(value, false)
}

// plain reports whether a value is printable ASCII that no reader takes for an
// encoded-word.
func plain(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return !strings.Contains(value, "=?")
}

// encoded adds a value as encoded-words (RFC 2047): in Q, which a person can read, unless
// B is a third shorter. Between them there is white space that readers drop; no character is split.
func (f *field) encoded(value string, phrase bool) {
	quoted := 2*quotedWordLen(value, phrase) <= 3*((len(value)+2)/3*4)
	for len(value) > 0 {
		room := min(encodedWord, f.room()-1)
		if room < leastWord {
			room = min(encodedWord, softLine-1)
			if f.empty {
				room = leastWord
			}
		}
		var n int
		var w string
		if quoted {
			w, n = quotedWord(value, room, phrase)
		} else {
			w, n = base64Word(value, room)
		}
		f.word(w)
		value = value[n:]
	}
}

// base64Word is an encoded-word of at most so many octets, with at least one character,
// and how much of the value it holds.
func base64Word(value string, room int) (word string, n int) {
	most := (room - len(bEncoding) - len(wordEnd)) / 4 * 3
	for n < len(value) {
		_, size := utf8.DecodeRuneInString(value[n:])
		if n > 0 && n+size > most {
			break
		}
		n += size
	}
	return bEncoding + base64.StdEncoding.EncodeToString([]byte(value[:n])) + wordEnd, n
}

// quotedWord is the same in the encoding Q.
func quotedWord(value string, room int, phrase bool) (word string, n int) {
	const hex = "0123456789ABCDEF"
	b := []byte(qEncoding)
	for n < len(value) {
		_, size := utf8.DecodeRuneInString(value[n:])
		character := value[n : n+size]
		if width := quotedWordLen(character, phrase); n > 0 && len(b)+width+len(wordEnd) > room {
			break
		}
		for i := range len(character) {
			switch c := character[i]; {
			case c == ' ':
				b = append(b, '_')
			case literalInWord(c, phrase):
				b = append(b, c)
			default:
				b = append(b, '=', hex[c>>4], hex[c&15])
			}
		}
		n += size
	}
	return string(append(b, wordEnd...)), n
}

func quotedWordLen(value string, phrase bool) int {
	size := 0
	for i := range len(value) {
		if c := value[i]; c == ' ' || literalInWord(c, phrase) {
			size++
		} else {
			size += len("=XX")
		}
	}
	return size
}

// literalInWord reports whether an octet stands for itself in the encoding Q (RFC 2047
// §4.2, in a phrase §5 (3)).
func literalInWord(c byte, phrase bool) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	case c == '=' || c == '?' || c == '_' || c <= ' ' || c > '~':
		return false
	case phrase:
		return strings.IndexByte("!*+-/", c) >= 0
	}
	return true
}

// phrase adds a display name (RFC 5322 §3.2.5): atoms, a quoted-string, or encoded-words.
func (f *field) phrase(name string) {
	const longest = 300 // octets of a quoted-string, which is not folded
	switch {
	case isAtoms(name) && foldable(name) && !strings.Contains(name, "=?"):
		f.words(name)
	case len(name) > longest, !idn.ASCII(name) || strings.Contains(name, "=?") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		f.encoded(name, true)
	default:
		f.word(quotedString(name))
	}
}

// isAtoms reports whether a name is atoms with single blanks between them.
func isAtoms(name string) bool {
	for w := range strings.SplitSeq(name, " ") {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !isAtomText(r) }) {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// quotedString is RFC 5322 §3.2.4.
func quotedString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
