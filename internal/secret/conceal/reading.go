package conceal

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A reading is a text as it is searched: folded octets, and from where to where in
// the text each of them stands.
type reading struct {
	folded     []byte
	start, end []int
}

// fold is what is compared: small letters, and nothing that cannot be seen. The plus
// and minus signs stand for a space and for each other, in queries and in base64url:
// they are left out, too.
func fold(text string) []byte {
	var r reading
	r.read(text, 0)
	return r.folded
}

// read appends text, which begins at this octet of the whole.
func (r *reading) read(text string, at int) {
	for i, c := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		r.put(c, text[i:i+size], at+i, at+i+size)
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
	r.start, r.end = append(r.start, start), append(r.end, end)
}

// newReading has room for a text.
func newReading(size int) *reading {
	return &reading{folded: make([]byte, 0, size), start: make([]int, 0, size), end: make([]int, 0, size)}
}

// What the lines of a reply begin with: its code and, often, an enhanced one.
var (
	lineCode     = regexp.MustCompile(`^[ \t]*[2-5]\d\d(?:[ -]|$)`)
	lineEnhanced = regexp.MustCompile(`^[ \t]*(?:[2-5]\d\d[ -])?[245]\.\d{1,3}\.\d{1,3}[ \t]?`)
)

// readings are the ways in which a text can be read: as it stands, with the codes at
// the beginning of its lines left out, and with what is escaped in it undone.
func readings(text string) []*reading {
	prefixes := []*regexp.Regexp{nil}
	if strings.Contains(text, "\n") || lineCode.MatchString(text) {
		prefixes = append(prefixes, lineCode, lineEnhanced)
	}
	escapes := strings.ContainsAny(text, escapeMarks)
	var out []*reading
	for _, prefix := range prefixes {
		plain, undone := newReading(len(text)), &reading{}
		at := 0
		for line := range strings.SplitAfterSeq(text, "\n") {
			skip := 0
			if prefix != nil {
				skip = len(prefix.FindString(line))
			}
			plain.read(line[skip:], at+skip)
			if escapes {
				undone.unescape(line[skip:], at+skip)
			}
			at += len(line)
		}
		out = append(out, plain)
		if escapes {
			out = append(out, undone)
		}
	}
	return out
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
			r.read(m[6], at+i)
			r.end[len(r.end)-1] = at + end
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

// search marks in found which octets of the text, size of them, belong to a secret.
func (s *Set) search(r *reading, size int, found []bool) []bool {
	mark := func(from, to int) { // of what is folded
		if found == nil {
			found = make([]bool, size)
		}
		for i := r.start[from]; i < r.end[to-1]; i++ {
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
		p, ok := s.grams[gram(r.folded[at:])]
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
