package rawmail

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

const (
	maxDepth = 16   // of multiparts and messages in each other
	maxParts = 1000 // in all

	// linesPerLook is how many lines are read or written between two looks at the context.
	linesPerLook = 1 << 10

	atEnd = -1 // the level of the end of the message
)

// A walker goes through the lines of a message once. Multiparts that are open stand on a
// stack, because a delimiter of an outer one ends the inner ones, too (RFC 2046 §5.1.2).
type walker struct {
	raw    []byte
	pos    int
	lines  int
	bareLF int      // line ends without CR
	open   []string // "--" and the boundary of each open multipart
	parts  int
	top    header
	leaves []leaf
	labels []label

	signed, encrypted, utf8 bool
}

// A stop is the delimiter that has ended a part: of which open multipart, and whether it
// is the last one of that; or it is the end of the message.
type stop struct {
	level int
	last  bool
}

// next is the line at pos without its end. more is false at the end of the message.
func (w *walker) next() (line []byte, more bool) {
	rest := w.raw[w.pos:]
	if len(rest) == 0 {
		return nil, false
	}
	w.lines++
	i := bytes.IndexByte(rest, '\n')
	if i < 0 {
		w.pos = len(w.raw)
		return rest, true
	}
	w.pos += i + 1
	if i > 0 && rest[i-1] == '\r' {
		return rest[:i-1], true
	}
	w.bareLF++
	return rest[:i], true
}

// look is next for bodies: it ends with the context, too.
func (w *walker) look(ctx context.Context) (line []byte, more bool, err error) {
	if w.lines%linesPerLook == 0 && ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	line, more = w.next()
	return line, more, nil
}

// delimiter tells of which open multipart line is a delimiter (RFC 2046 §5.1.1), the
// inner ones first.
func (w *walker) delimiter(line []byte) (s stop, ok bool) {
	if !bytes.HasPrefix(line, []byte("--")) || len(line) > maxLine {
		return stop{}, false
	}
	for level, dashed := range slices.Backward(w.open) {
		if last, ok := delimits(line, dashed); ok {
			return stop{level: level, last: last}, true
		}
	}
	return stop{}, false
}

func delimits(line []byte, dashed string) (last, ok bool) {
	if len(line) < len(dashed) || string(line[:len(dashed)]) != dashed {
		return false, false
	}
	rest := bytes.TrimRight(line[len(dashed):], " \t")
	return len(rest) > 0, len(rest) == 0 || string(rest) == "--"
}

// entity goes through a header and its body, and returns what has ended it.
func (w *walker) entity(ctx context.Context, fallback string, depth int) (stop, error) {
	if depth > maxDepth {
		return stop{}, refuse("parts in parts, more than %d deep", maxDepth)
	}
	h, s, err := w.header(depth == 0)
	if err != nil {
		return stop{}, err
	}
	if depth == 0 {
		w.top = h
	}
	c, err := contentOf(w.raw, h, fallback)
	if err != nil || !h.body && depth > 0 {
		return s, err
	}
	switch {
	case c.sealed():
		if depth == 0 {
			w.encrypted = c.encrypted()
			w.signed = !w.encrypted
		}
		return w.sealed(ctx, c)
	case strings.HasPrefix(c.media, "multipart/"):
		w.label(c)
		return w.multipart(ctx, c, depth)
	case c.message() && c.identity():
		w.label(c)
		return w.entity(ctx, plainText, depth+1)
	}
	return w.leaf(ctx, h, c)
}

func (w *walker) multipart(ctx context.Context, c content, depth int) (stop, error) {
	level := len(w.open)
	w.open = append(w.open, "--"+c.boundary)
	s, err := w.between(ctx, "before its first part")
	if err != nil {
		return s, err
	}
	if s.level != level || s.last {
		return s, refuse("%s: it has no part (RFC 2046 §5.1.1)", c.media)
	}
	fallback := plainText
	if c.media == "multipart/digest" {
		fallback = messageRFC822 // RFC 2046 §5.1.5
	}
	for s.level == level && !s.last {
		if w.parts++; w.parts > maxParts {
			return s, refuse("more than %d parts", maxParts)
		}
		if s, err = w.entity(ctx, fallback, depth+1); err != nil {
			return s, err
		}
	}
	w.open = w.open[:level]
	if s.level != level {
		return s, nil
	}
	return w.between(ctx, "after its last part")
}

// between goes through text that is in no part. Nothing can encode it.
func (w *walker) between(ctx context.Context, where string) (stop, error) {
	for {
		line, more, err := w.look(ctx)
		if err != nil || !more {
			return stop{level: atEnd}, err
		}
		if s, ok := w.delimiter(line); ok {
			return s, nil
		}
		if why := unfit(line); why != "" {
			return stop{}, refuse("multipart, %s: %s", where, why)
		}
	}
}

// unfit says why some servers do not take a line of a body, or nothing.
func unfit(line []byte) string {
	switch {
	case len(line) > maxLine:
		return "a line of more than 998 octets"
	case high(line) > 0:
		return "octets above 127"
	}
	return ""
}
