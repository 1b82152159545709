package conceal

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A reading is a text as it is searched: folded octets, and from where to where in
// the text each of them stands. That is asked for only where a secret is.
type reading struct {
	folded  []byte
	spans   []span
	located bool // spans are kept
}

type span struct{ start, end int }

// fold is what is compared: small letters, and nothing that cannot be seen. The plus
// and minus signs stand for a space and for each other, in queries and in base64url:
// they are left out, too.
func fold(text string) []byte {
	var r reading
	r.read(text, 0)
	return r.folded // the spans are not asked for
}

// read appends text, which begins at this octet of the whole.
func (r *reading) read(text string, at int) {
	for i := 0; i < len(text); {
		if c := text[i]; 'a' <= c && c <= 'z' || '.' <= c && c <= '9' { // most of any text
			r.octet(c, at+i, at+i+1)
			i++
			continue
		}
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		r.put(c, text[i:i+size], at+i, at+i+size)
		i += size
	}
}

// put appends a character, as it stands in the text from start to end. raw is the
// octet itself if it is none.
func (r *reading) put(c rune, raw string, start, end int) {
	switch {
	case c == '-', c == '+':
	case c == '_':
		r.octet('/', start, end)
	case 'A' <= c && c <= 'Z':
		r.octet(byte(c)+'a'-'A', start, end)
	case ' ' < c && c <= '~':
		r.octet(byte(c), start, end)
	case c == utf8.RuneError:
		for i := range len(raw) {
			r.octet(raw[i], start, end)
		}
	case unicode.IsSpace(c), unicode.IsControl(c), unicode.Is(unicode.Cf, c):
	default:
		for _, b := range utf8.AppendRune(nil, unicode.ToLower(c)) {
			r.octet(b, start, end)
		}
	}
}

func (r *reading) octet(b byte, start, end int) {
	r.folded = append(r.folded, b)
	if r.located {
		r.spans = append(r.spans, span{start, end})
	}
}

// A prefix is how much of a line of a reply is no text, in octets.
type prefix func(line string) int

func noPrefix(string) int { return 0 }

// codePrefix is a reply code: "550-", "550 ".
func codePrefix(line string) int {
	if n := digits(line); n == 3 && (len(line) == n || line[n] == ' ' || line[n] == '-') {
		return min(n+1, len(line))
	}
	return 0
}

// enhancedPrefix is an enhanced status code, with or without a reply code before it:
// "5.7.8 ", "550-5.7.8 ".
func enhancedPrefix(line string) int {
	at := codePrefix(line)
	end := at
	for i := range 3 {
		n := digits(line[end:])
		if n == 0 || n > 3 {
			return at
		}
		end += n
		if i < 2 {
			if end == len(line) || line[end] != '.' {
				return at
			}
			end++
		}
	}
	return end
}

func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// A way is one in which a text can be read: as it stands or with the codes at the
// beginning of its lines left out, and with what is escaped in it undone or not.
type way struct {
	skip prefix
	undo bool
}

// ways are those in which a text is to be read.
func ways(text string) []way {
	all := []way{{noPrefix, false}, {codePrefix, false}, {enhancedPrefix, false}, {noPrefix, true}, {codePrefix, true}, {enhancedPrefix, true}}
	plain, undone := all[:3], all[3:]
	if strings.IndexByte(text, '\n') < 0 { // nothing is split
		plain, undone = plain[:1], undone[:1]
	}
	if strings.ContainsAny(text, escapeMarks) {
		return slices.Concat(plain, undone)
	}
	return plain
}

// all reads a whole text.
func (r *reading) all(text string, w way) {
	r.folded, r.spans = r.folded[:0], r.spans[:0]
	for at := 0; at < len(text); {
		end := len(text)
		if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		at += w.skip(text[at:end])
		if w.undo {
			r.unescape(text[at:end], at)
		} else {
			r.read(text[at:end], at)
		}
		at = end
	}
}

// escapeMarks begin every escape.
const escapeMarks = `%=\&`

// An escape is one character in the writing of URLs, quoted-printable, Go and JSON,
// or HTML; or white space.
var escape = regexp.MustCompile(`^(?:[%=]([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#x([0-9A-Fa-f]{1,6});|&#([0-9]{1,7});|\\([\\"'/])|(=\r?\n|\\[nrt]))`)

// unescape is read with every escape undone.
func (r *reading) unescape(text string, at int) {
	for i := 0; i < len(text); {
		var m []string
		if strings.IndexByte(escapeMarks, text[i]) >= 0 {
			m = escape.FindStringSubmatch(text[i:min(len(text), i+12)])
		}
		if m == nil {
			_, size := utf8.DecodeRuneInString(text[i:])
			r.read(text[i:i+size], at+i)
			i += size
			continue
		}
		end := i + len(m[0])
		switch hexadecimal := m[1] + m[2] + m[3] + m[4]; {
		case hexadecimal != "":
			n, _ := strconv.ParseUint(hexadecimal, 16, 32)
			r.character(rune(n), m[3]+m[4] == "", at+i, at+end)
		case m[5] != "":
			n, _ := strconv.ParseUint(m[5], 10, 32)
			r.character(rune(n), false, at+i, at+end)
		case m[6] != "":
			r.put(rune(m[6][0]), m[6], at+i, at+end)
		}
		i = end
	}
}

// character appends what an escape stands for: an octet, which may be part of a
// character, or a character.
func (r *reading) character(c rune, octet bool, start, end int) {
	if octet && c >= utf8.RuneSelf {
		r.put(utf8.RuneError, string([]byte{byte(c)}), start, end)
		return
	}
	r.put(c, string(c), start, end)
}

// search marks in found which octets of the text belong to a secret, read in this way.
func (s *Set) search(r *reading, text string, w way, found []bool) []bool {
	r.located = false
	r.all(text, w)
	mark := func(from, to int) { // of what is folded
		if found == nil {
			found = make([]bool, len(text))
		}
		if !r.located {
			r.located, r.spans = true, make([]span, 0, len(r.folded))
			r.all(text, w)
		}
		for i := r.spans[from].start; i < r.spans[to-1].end; i++ {
			found[i] = true
		}
	}
	for _, f := range s.short {
		for at := 0; ; {
			n := bytes.Index(r.folded[at:], f.text)
			if n < 0 {
				break
			}
			mark(at+n, at+n+len(f.text))
			at += n + len(f.text)
		}
	}
	for at := 0; at+gramSize <= len(r.folded); {
		g := gram(r.folded[at:])
		if word, bit := slot(g); s.seen[word]&bit == 0 {
			at++
			continue
		}
		p, ok := s.grams[g]
		if !ok {
			at++
			continue
		}
		f := s.forms[p.form]
		from, to := at, at+gramSize
		for n := p.at - 1; n >= 0 && from > 0 && r.folded[from-1] == f.text[n]; n-- {
			from--
		}
		for n := p.at + gramSize; n < len(f.text) && to < len(r.folded) && r.folded[to] == f.text[n]; n++ {
			to++
		}
		if to-from < f.part {
			at++
			continue
		}
		mark(from, to)
		at = to - gramSize + 1
	}
	return found
}
