package plaintext

import "unicode"

// A kind is what becomes of a character.
type kind int

const (
	shown kind = iota
	blank
	dropped
	joins // shown between two characters that are not ASCII: emoji, Persian, Indic scripts
)

// kindOf drops what is not seen: mails fill the preview of their first line with it,
// and a soft hyphen is one only where a line is wrapped.
func kindOf(r rune) kind {
	switch {
	case r == '\u200c', r == '\u200d', r == '\u200e', r == '\u200f':
		return joins
	case unicode.IsSpace(r):
		return blank
	case r == '\u00ad', r == '\u034f', r == '\u115f', r == '\u1160', r == '\u3164', r == '\uffa0', r == '\u2800',
		unicode.IsControl(r):
		return dropped
	case r >= 0xe0020 && r <= 0xe007f: // the flags of England, Scotland and Wales
		return shown
	case unicode.Is(unicode.Cf, r):
		return dropped
	}
	return shown
}
