package rawmail

import (
	"bytes"
	"context"
	"strings"
)

// A leaf is a part without parts, or the body of a simple message.
type leaf struct {
	content
	start, end int // of the body; the line end before a delimiter is not of it (RFC 2046 §5.1.1)
	header     int // where one more field of its header goes
	longest    int // octets of its longest line
	high       int // octets above 127
	bareLF     bool
}

// A label is the Content-Transfer-Encoding of a multipart or message. It is that of
// all within (RFC 2045 §6.4), and must not promise more than is there once that is encoded.
type label struct{ content }

func (w *walker) label(c content) {
	if c.encoding == "8bit" || c.encoding == "binary" {
		w.labels = append(w.labels, label{c})
	}
}

// leaf goes through a body of one part.
func (w *walker) leaf(ctx context.Context, h header, c content) (stop, error) {
	l := leaf{content: c, start: w.pos, header: h.end}
	for {
		start := w.pos
		line, more, err := w.look(ctx)
		if err != nil {
			return stop{}, err
		}
		s, over := stop{level: atEnd}, !more
		if more {
			s, over = w.delimiter(line)
		}
		if !over {
			l.longest = max(l.longest, len(line))
			l.high += high(line)
			l.bareLF = l.bareLF || w.pos-start == len(line)+1
			continue
		}
		l.end = start
		if more {
			l.end -= lineEnd(w.raw[l.start:start])
		}
		if !l.fits(false) {
			if why := l.unfit(); why != "" {
				return s, refuse("%s: %s", c.media, why)
			}
			w.leaves = append(w.leaves, l)
		}
		return s, nil
	}
}

// lineEnd is the length of the line end at the end of b.
func lineEnd(b []byte) int {
	switch {
	case bytes.HasSuffix(b, []byte("\r\n")):
		return 2
	case bytes.HasSuffix(b, []byte("\n")):
		return 1
	}
	return 0
}

// fits reports whether a server takes the part as it is. Octets above 127 need 8BITMIME
// (RFC 6152); no server is asked for BINARYMIME (RFC 3030), so that line ends change in
// what is binary.
func (l leaf) fits(eightBit bool) bool {
	binary := l.encoding == "binary"
	return l.longest <= maxLine && (l.high == 0 || eightBit && !binary) && (!l.bareLF || !binary || l.lines())
}

func (l leaf) text() bool { return strings.HasPrefix(l.media, "text/") }

// lines reports whether the part consists of lines, whose ends carry no meaning.
func (l leaf) lines() bool { return l.text() || strings.HasPrefix(l.media, "message/") }

// unfit says why the part cannot be encoded, or nothing.
func (l leaf) unfit() string {
	why := "a line of more than 998 octets"
	if l.high > 0 {
		why = "octets above 127"
	}
	switch {
	case l.encoding == "quoted-printable":
		return ""
	case l.encoding == "base64":
		if l.high > 0 {
			return why + " in base64"
		}
		return ""
	case !l.identity():
		return why + ", and the transfer encoding is none of RFC 2045 §6"
	case l.media == "message/global-delivery-status", l.media == "message/global-headers", l.media == "message/global-disposition-notification":
		return "" // RFC 6533 §3, §4, §6 let them be encoded
	case strings.HasPrefix(l.media, "message/"):
		return why + ", and such a part may not be encoded (RFC 2046 §5.2)"
	}
	return ""
}
