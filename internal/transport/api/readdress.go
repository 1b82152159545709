package api

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// undisclosed is the To of a mail that shows no recipient, as package compose
// writes it (RFC 5322 §3.4, an empty group).
const undisclosed = "To: undisclosed-recipients:;\r\n"

// Readdress makes recipients the recipients of a mail for a server that reads
// them from the header. To and Cc keep those who are among them; the others get a
// Bcc, which the server takes out. An address in To or Cc that is no recipient (has
// got the mail from an earlier attempt, or was refused) is taken out: better a
// mail that does not show everybody than one that arrives twice. The header's
// other fields and the body keep their bytes. header and body together are the
// mail. The error wraps failure.ErrMalformed.
func Readdress(composed []byte, recipients []string) (header, body []byte, err error) {
	end := bytes.Index(composed, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, nil, fmt.Errorf("%w: no end of the header", failure.ErrMalformed)
	}
	end += len("\r\n")
	r := &readdressing{
		header: make([]byte, 0, end+64*len(recipients)), // more than enough for most
		open:   make(map[string]bool, len(recipients)),
	}
	for _, a := range recipients {
		r.open[sameMailbox(a)] = true
	}
	for rest := composed[:end]; len(rest) > 0; {
		n := fieldLength(rest)
		if err := r.field(rest[:n]); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", failure.ErrMalformed, err)
		}
		rest = rest[n:]
	}
	if !r.shown {
		r.header = append(r.header, undisclosed...)
	}
	var hidden []string
	for _, a := range recipients {
		if key := sameMailbox(a); r.open[key] {
			r.open[key] = false
			hidden = append(hidden, (&mail.Address{Address: a}).String())
		}
	}
	if len(hidden) > 0 {
		r.header = appendField(r.header, "Bcc", strings.Join(hidden, ", "))
	}
	return r.header, composed[end:], nil
}

// fieldLength is up to the CRLF that no white space follows (RFC 5322 §2.2.3).
func fieldLength(b []byte) int {
	for n := 0; ; {
		n += bytes.Index(b[n:], []byte("\r\n")) + len("\r\n")
		if n == len(b) || b[n] != ' ' && b[n] != '\t' {
			return n
		}
	}
}

// readdressing is a header being written anew.
type readdressing struct {
	header []byte
	open   map[string]bool // recipients; false: in the header
	shown  bool            // there is a To or Cc
}

// field copies a field, with its line end, or changes it.
func (r *readdressing) field(raw []byte) error {
	unfolded := strings.ReplaceAll(string(raw), "\r\n", "")
	name, value, ok := strings.Cut(unfolded, ":")
	if name = strings.TrimRight(name, " \t"); !ok || name == "" || strings.ContainsAny(unfolded, "\r\n\x00") {
		return fmt.Errorf("header field %.40q", name)
	}
	switch strings.ToLower(name) {
	case "to", "cc":
		return r.list(raw, name, value)
	case "bcc", "resent-to", "resent-cc", "resent-bcc":
		return nil // compose writes none; a server would read them
	}
	r.header = append(r.header, raw...)
	return nil
}

// list keeps the recipients of a To or Cc.
func (r *readdressing) list(raw []byte, name, value string) error {
	all, err := mail.ParseAddressList(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var kept []string
	for _, a := range all {
		key := sameMailbox(a.Address)
		if _, ok := r.open[key]; ok {
			r.open[key] = false
			kept = append(kept, a.String())
		}
	}
	switch {
	case len(kept) == len(all):
		r.header = append(r.header, raw...)
	case len(kept) > 0:
		r.header = appendField(r.header, name, strings.Join(kept, ", "))
	default:
		return nil
	}
	r.shown = true
	return nil
}

// appendField writes a field in lines of 78 octets (RFC 5322 §2.1.1), as far as
// its spaces allow. A line is never only white space: some would take it for the
// end of the header.
func appendField(b []byte, name, value string) []byte {
	const maxLine = 78
	b = append(append(b, name...), ':')
	start, filled := len(b)-len(name)-1, false
	for word := range strings.SplitSeq(value, " ") {
		if filled && word != "" && len(b)-start+1+len(word) > maxLine {
			b = append(b, '\r', '\n')
			start, filled = len(b), false
		}
		b = append(append(b, ' '), word...)
		filled = filled || word != ""
	}
	return append(b, '\r', '\n')
}
