package mailindex

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrCursor says that a text is no cursor.
var ErrCursor = errors.New("mailindex: not a cursor")

// A Cursor is a place in a reading: in the journal, before some byte of an hour's block,
// or in the notes, before an entry. The zero Cursor is the beginning. Its text holds no
// address: it may stand in a link.
type Cursor struct {
	notes        bool
	hour, offset int64
	member       string // of the notes; empty: their beginning
}

// IsZero reports whether it is the beginning.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// String is the text that ParseCursor reads; empty for the beginning.
func (c Cursor) String() string {
	switch {
	case c.IsZero():
		return ""
	case c.notes:
		return "n" + base64.RawURLEncoding.EncodeToString([]byte(c.member))
	}
	return "j" + strconv.FormatInt(c.hour, 36) + "." + strconv.FormatInt(c.offset, 36)
}

// ParseCursor reads the text of a cursor. The error is ErrCursor.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	if text, ok := strings.CutPrefix(s, "n"); ok {
		member, err := base64.RawURLEncoding.DecodeString(text)
		if err == nil && (len(member) == 0 || entry(member).sound()) {
			return Cursor{notes: true, member: string(member)}, nil
		}
	}
	if text, ok := strings.CutPrefix(s, "j"); ok {
		hour, offset, _ := strings.Cut(text, ".")
		h, hourErr := strconv.ParseInt(hour, 36, 64)
		o, offsetErr := strconv.ParseInt(offset, 36, 64)
		if hourErr == nil && offsetErr == nil && h >= 0 && o >= 0 {
			return Cursor{hour: h, offset: o}, nil
		}
	}
	return Cursor{}, fmt.Errorf("%w: %.100q", ErrCursor, s)
}
