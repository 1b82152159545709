package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/rohrpost/rohrpost/internal/failure"
)

const (
	maxReply      = 8 << 10 // octets of a reply's text that are kept
	maxReplyLines = 100
	maxReplyLine  = 2000 // octets kept of a line; RFC 5321 §4.5.3.1.5 allows 512
	// cutMargin is dropped beyond that from a longer line: it may end in a part of a
	// secret, too short to be told from other text.
	cutMargin = 24
)

// A reply is a server's answer. Its text is overwritten by the next one, and not fit
// to be shown: cause and shown are the ways out.
type reply struct {
	code int
	text []byte // the lines without code, separated by LF
	conn *conn
}

func (r reply) positive() bool { return r.code/100 == 2 }

// refusal is 4yz or 5yz. What is neither that nor what was asked for is no SMTP.
func (r reply) refusal() bool { return r.code/100 == 4 || r.code/100 == 5 }

func (r reply) lines() []string { return strings.Split(string(r.text), "\n") }

func (r reply) cause(stage failure.Stage, host string) failure.Cause {
	c := failure.Cause{Stage: stage, Host: host, Session: r.conn.session(), Conceal: r.conn.conceal, Reply: failure.Reply{Code: r.code, Lines: r.lines()}}
	if !r.refusal() && stage != failure.StageDot {
		c.Reply = failure.Reply{}
		c.Err = textproto.ProtocolError(fmt.Sprintf("unexpected reply %d %s", r.code, r.text))
	}
	return c
}

// shown is the text as people may see it.
func (r reply) shown() string { return failure.Scrub(failure.Legible(r.conn.conceal(string(r.text)))) }

// malformed is what is no reply, with those of its lines that might be one.
type malformed string

func (m malformed) Error() string { return "malformed reply" }

// readReply reads one reply (RFC 5321 §4.2.1) into buf. Of a text beyond the
// limits the last line is kept, which often has the reason.
func readReply(r *bufio.Reader, buf []byte) (reply, error) {
	out := reply{text: buf[:0]}
	for start, lines := 0, 0; ; {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return reply{}, err
		}
		code, last, text, ok := parseReplyLine(line)
		if !ok || lines > 0 && code != out.code {
			return reply{}, malformed(fmt.Sprintf("%s\n%s", out.text, line))
		}
		out.code = code
		if lines < maxReplyLines && len(out.text)+1+len(text) <= maxReply-maxReplyLine {
			lines++
			start = len(out.text)
		}
		out.text = out.text[:start]
		if start > 0 || lines > 1 {
			out.text = append(out.text, '\n')
		}
		out.text = append(out.text, text...)
		for err != nil { // a line longer than the buffer: only its start is kept
			if _, err = r.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return reply{}, err
			}
		}
		if last {
			return out, nil
		}
	}
}

// parseReplyLine reads "250-text", "250 text" or "250".
func parseReplyLine(line []byte) (code int, last bool, text []byte, ok bool) {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, false, nil, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, nil, false
		}
		code = code*10 + int(c-'0')
	}
	if len(line) == 3 {
		return code, true, nil, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, nil, false
	}
	text = line[4:]
	if len(text) > maxReplyLine {
		text = text[:maxReplyLine-cutMargin]
	}
	return code, line[3] == ' ', text, true
}

// enhanced is the first enhanced status code of an acceptance that begins a line
// (RFC 2034 §4), or "".
func (r reply) enhanced() string {
	for line := range strings.SplitSeq(string(r.text), "\n") {
		code, _, _ := strings.Cut(line, " ")
		rest, ok := strings.CutPrefix(code, "2.")
		subject, detail, dot := strings.Cut(rest, ".")
		if ok && dot && isNumber(subject) && isNumber(detail) {
			return code
		}
	}
	return ""
}

// isNumber is one to three digits (RFC 3463 §2).
func isNumber(s string) bool {
	return len(s) >= 1 && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}
