package rawmail

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	maxLine   = 998     // octets without the line end, RFC 5322 §2.1.1
	maxHeader = 1 << 20 // octets
	maxFields = 1000    // of one header
)

// A field is a header field: raw[start:end], with the end of its last line.
type field struct {
	name       string // in lower case
	start, end int
	line       int // octets of its first line
}

// value is what follows the colon, on one line (RFC 5322 §2.2.3), without white space
// around it.
func (f field) value(raw []byte) string {
	_, after, _ := bytes.Cut(raw[f.start:f.end], []byte(":"))
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(string(after)))
}

// A header is the fields before an empty line.
type header struct {
	fields []field
	end    int  // where one more field goes
	body   bool // an empty line follows, and a body
}

// get is the first field of that name.
func (h header) get(name string) (f field, found bool) {
	for _, f := range h.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// once refuses a header with several fields of one of these names.
func (h header) once(names string) error {
	seen := map[string]bool{}
	for _, f := range h.fields {
		if seen[f.name] && strings.Contains(names, " "+f.name+" ") {
			return refuse("%s: there is more than one", titled(f.name))
		}
		seen[f.name] = true
	}
	return nil
}

// titled is the name of a field as people write it.
func titled(name string) string {
	words := strings.Split(name, "-")
	for i, word := range words {
		switch {
		case word == "id" || word == "mime":
			words[i] = strings.ToUpper(word)
		case word != "":
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "-")
}

// header reads the fields of the message, if top, or else of a part. It ends at an empty
// line, at a delimiter, which is returned, or at the end of the message.
func (w *walker) header(top bool) (header, stop, error) {
	var h header
	start := w.pos
	for n := 1; ; n++ {
		h.end = w.pos
		line, more := w.next()
		if !more {
			return h, stop{level: atEnd}, nil
		}
		if len(line) == 0 {
			h.body = true
			return h, stop{}, nil
		}
		if s, ok := w.delimiter(line); ok {
			return h, s, nil
		}
		if w.pos-start > maxHeader {
			return h, stop{}, refuse("a header has more than %d octets", maxHeader)
		}
		if err := w.headerLine(&h, line, n, top); err != nil {
			return h, stop{}, err
		}
	}
}

func (w *walker) headerLine(h *header, line []byte, n int, top bool) error {
	where := "header"
	if !top {
		where = "header of a part"
	}
	switch continues := line[0] == ' ' || line[0] == '\t'; {
	case continues && len(bytes.Trim(line, " \t")) == 0:
		return refuse("%s, line %d: white space alone, which some readers take for its end", where, n)
	case continues && len(h.fields) == 0:
		return refuse("%s, line %d: white space before the first field", where, n)
	case !continues && len(h.fields) == maxFields:
		return refuse("%s: more than %d fields", where, maxFields)
	case !continues:
		name, _, colon := bytes.Cut(line, []byte(":"))
		if !colon || !isName(name) {
			return refuse("%s, line %d: no field name with a colon behind it (RFC 5322 §2.2)", where, n)
		}
		h.fields = append(h.fields, field{name: strings.ToLower(string(name)), start: h.end, line: len(line)})
	}
	f := &h.fields[len(h.fields)-1]
	f.end = w.pos
	if top && takenOut(f.name) {
		return nil
	}
	switch {
	case len(line) > maxLine:
		return refuse("%s, line %d: %d octets, at most %d: fold it (RFC 5322 §2.1.1)", where, n, len(line), maxLine)
	case !utf8.Valid(line):
		return refuse("%s, line %d: neither ASCII nor UTF-8 (RFC 6532 §3.1)", where, n)
	}
	w.utf8 = w.utf8 || high(line) > 0
	return nil
}

// isName is RFC 5322 §2.2: printable ASCII without the colon.
func isName(name []byte) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(name) > 0
}

// high is the number of octets above 127.
func high(b []byte) int {
	n := 0
	for _, c := range b {
		n += int(c >> 7)
	}
	return n
}

// takenOut reports whether a field of this name, in lower case, never leaves: it is for
// this system, for the last server alone (RFC 5321 §4.4), or says who else gets the mail
// (RFC 5322 §3.6.3), be it to one provider alone.
func takenOut(name string) bool {
	switch name {
	case "bcc", "resent-bcc", "return-path", "envelope-to", "apparently-to", "x-smtpapi", "x-msys-api":
		return true
	}
	ours, found := strings.CutPrefix(name, "x-")
	if !found {
		return false
	}
	for i, word := range strings.Split(ours, "-") {
		switch word {
		case "to", "cc", "bcc", "bccaddress", "ccaddress", "rcpt", "rcpts", "recipient", "recipients", "envelope", "preserverecipients":
			return true
		case "rohrpost":
			if i == 0 {
				return true
			}
		}
	}
	return false
}
