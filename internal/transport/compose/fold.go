package compose

import (
	"strings"

	"github.com/rohrpost/rohrpost/internal/transfer"
)

// softLine is where a line of the header is folded if it can be (RFC 5322 §2.1.1); in
// lines with encoded-words it must be (RFC 2047 §2).
const softLine = 76

// A field is a header field as it grows. Its value begins on the line of its name:
// after a line end right behind the colon, some readers see a blank or nothing at all.
type field struct {
	b     []byte
	start int // of the line that grows
	empty bool
}

func newField(b []byte, name string) *field {
	f := &field{start: len(b), empty: true}
	f.b = append(append(b, name...), ": "...)
	return f
}

// room is what fits on the line behind a blank.
func (f *field) room() int { return softLine - (len(f.b) - f.start) }

// word adds a word that is not split: behind a blank, which becomes a folded line where
// the word does not fit. Nothing is folded before the first one.
func (f *field) word(w string) {
	switch {
	case f.empty:
		f.empty = false
	case len(w) >= f.room():
		f.b = append(f.b, '\r', '\n')
		f.start = len(f.b)
		f.b = append(f.b, ' ')
	default:
		f.b = append(f.b, ' ')
	}
	f.b = append(f.b, w...)
}

// words adds words that single blanks keep apart.
func (f *field) words(value string) {
	for w := range strings.SplitSeq(value, " ") {
		f.word(w)
	}
}

// end ends the field.
func (f *field) end() []byte { return append(f.b, '\r', '\n') }

// foldable reports whether words writes a value as it is: single blanks between words
// that fit on a line.
func foldable(value string) bool {
	for w := range strings.SplitSeq(value, " ") {
		if w == "" || len(w) > transfer.MaxLine-100 {
			return value == ""
		}
	}
	return true
}
