// Package wiretest judges mails as they leave, for tests. It shares no code with the
// composer: the fields are read by net/mail, mime and rules of its own.
//
// The law: no octet above 127 unless MAIL said SMTPUTF8, and then in the header alone; no
// line over 998 octets, no bare CR or LF, no NUL; values begin on the line of their field;
// structured fields are those of RFC 5322, encoded-words those of RFC 2047, parameters
// those of RFC 2231; each part is in the encoding that it says.
package wiretest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Check fails the test for each fault of a mail.
func Check(tb testing.TB, mail []byte, smtputf8 bool) {
	tb.Helper()
	for _, fault := range Faults(mail, smtputf8) {
		tb.Error("on the wire: " + fault)
	}
}

// Faults are what is wrong with a mail; smtputf8 tells what MAIL has said.
func Faults(mail []byte, smtputf8 bool) []string {
	j := &judge{smtputf8: smtputf8}
	j.lines(mail)
	j.entity(mail, "", 0)
	return j.faults
}

type judge struct {
	smtputf8 bool
	faults   []string
}

func (j *judge) add(format string, args ...any) {
	const most = 20
	if len(j.faults) < most {
		j.faults = append(j.faults, fmt.Sprintf(format, args...))
	}
}

// lines judges all octets.
func (j *judge) lines(mail []byte) {
	const longest = 998 // RFC 5322 §2.1.1
	if !bytes.HasSuffix(mail, []byte("\r\n")) {
		j.add("the last line does not end")
	}
	for n, line := range bytes.Split(mail, []byte("\r\n")) {
		switch {
		case len(line) > longest:
			j.add("line %d has %d octets: %.60q …", n+1, len(line), line)
		case bytes.ContainsAny(line, "\r\n\x00"):
			j.add("line %d has a bare CR, LF or NUL: %.60q", n+1, line)
		}
	}
}

// entity judges a header and the body below it (RFC 2045 §2.4).
func (j *judge) entity(b []byte, place string, depth int) {
	header, body, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if rest, empty := bytes.CutPrefix(b, []byte("\r\n")); empty {
		header, body, found = nil, rest, true
	}
	if !found {
		j.add("%sthe header does not end", place)
		return
	}
	fields := j.fields(header, place)
	if depth == 0 {
		j.message(fields)
	}
	j.content(fields, body, place, depth)
}

// A field is one as it stands there.
type field struct{ name, raw, value string } // value is unfolded

// fields reads a header.
func (j *judge) fields(header []byte, place string) []field {
	var list []field
	for line := range strings.SplitSeq(string(header), "\r\n") {
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			if strings.Trim(line, " \t") == "" {
				j.add("%sa folded line is empty", place)
			}
			if len(list) == 0 {
				j.add("%sthe header begins with a folded line", place)
				continue
			}
			last := &list[len(list)-1]
			last.raw, last.value = last.raw+"\r\n"+line, last.value+line
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			j.add("%sno field: %.60q", place, line)
			continue
		}
		list = append(list, field{name: strings.ToLower(name), raw: line, value: value})
	}
	for i := range list {
		j.field(&list[i], place)
	}
	return list
}

// field judges one by its octets.
func (j *judge) field(f *field, place string) {
	first, _, folded := strings.Cut(f.raw, "\r\n")
	if folded && strings.TrimRight(first[len(f.name)+1:], " \t") == "" {
		j.add("%s%s: the value does not begin on the field's line", place, f.name)
	}
	if !strings.HasPrefix(f.value, " ") {
		j.add("%s%s: no blank behind the colon", place, f.name)
	}
	f.value = strings.TrimPrefix(f.value, " ")
	for _, r := range f.value {
		if r > '~' && !(j.smtputf8 && r != '\ufffd') || r < ' ' && r != '\t' {
			j.add("%s%s: character %U", place, f.name, r)
			break
		}
	}
	j.encodedWords(f, place)
}
