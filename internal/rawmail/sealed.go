package rawmail

import (
	"bytes"
	"context"
)

// sealed goes through a body that is signed or encrypted. Who makes one encodes it so that
// every server takes it (RFC 8551 §3.1.2, RFC 3156 §3): it is not ours to do so later.
//
// A signature is that of the text with CRLF (RFC 8551 §3.1.1, RFC 3156 §5), whatever line
// ends a file has: LF throughout can become CRLF. openssl cms writes CRLF in the signed
// part and LF elsewhere, which is why the signed part alone must have one kind of them.
func (w *walker) sealed(ctx context.Context, c content) (stop, error) {
	own, parts := "--"+c.boundary, 0
	var ends lineEnds
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
		if over {
			if c.boundary != "" && parts < 2 {
				return s, refuse("%s: it has no two parts (RFC 1847 §2)", c.media)
			}
			return s, nil
		}
		if why := unfit(line); why != "" {
			return s, refuse("%s: %s: what is signed or encrypted must be encoded before", c.media, why)
		}
		if c.boundary == "" {
			continue
		}
		if last, ok := delimits(line, own); ok && !last {
			parts++
			continue
		}
		if parts == 1 && c.media == "multipart/signed" && ends.mixed(w.raw[start:w.pos]) {
			return s, refuse("multipart/signed: line ends of both kinds, CRLF and LF, in what is signed")
		}
	}
}

// lineEnds are the kinds of line ends that were seen, but for the last one: that before a
// delimiter belongs to it (RFC 2046 §5.1.1).
type lineEnds struct {
	crlf, lf bool // seen, without the last one
	last     byte // 'c', 'l', or 0 before the first
}

func (e *lineEnds) mixed(line []byte) bool {
	e.crlf = e.crlf || e.last == 'c'
	e.lf = e.lf || e.last == 'l'
	e.last = 'l'
	if bytes.HasSuffix(line, []byte("\r\n")) {
		e.last = 'c'
	}
	return e.crlf && e.lf
}
