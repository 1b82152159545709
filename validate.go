package rohrpost

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/idn"
)

// A FieldError names the field of a message that cannot be sent, in the
// spelling of the JSON form: "to[0].address", "headers[2].name".
type FieldError struct {
	Field   string
	Problem string
}

// Error is "field: problem".
func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// FieldErrors are all problems of one message. errors.As finds the list as well
// as the first *FieldError in it.
type FieldErrors []*FieldError

// Error is the first ten problems in one line.
func (e FieldErrors) Error() string {
	const most = 10
	var b strings.Builder
	for i, problem := range e[:min(len(e), most)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(problem.Error())
	}
	if len(e) > most {
		fmt.Fprintf(&b, "; and %d more", len(e)-most)
	}
	return b.String()
}

// Unwrap lets errors.As and errors.Is look at each problem.
func (e FieldErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, problem := range e {
		errs[i] = problem
	}
	return errs
}

// The limits that Validate applies; the size of a mail is the producer's.
const (
	MaxRecipients   = 1000
	maxReplyTo      = 100
	maxSubject      = 2000 // bytes
	maxHeaders      = 100
	maxHeaderValue  = 4000 // bytes
	maxMetadata     = 32   // pairs
	maxMetadataSize = 4096 // bytes of keys and values
)

// Validate finds everything that can be refused at once. The error is
// FieldErrors; nil means that the message can be enqueued.
func (m *Message) Validate(now time.Time) error {
	v := validator{}
	v.identity(m)
	v.recipients(m)
	if len(m.Raw) > 0 {
		v.raw(m)
	} else {
		v.content(m)
	}
	v.calendar(m.Calendar)
	v.unsubscribe(m.Unsubscribe)
	v.headers(m.Headers, m.Unsubscribe)
	v.times(m, now)
	v.metadata(m.Metadata)
	if len(v.problems) == 0 {
		return nil
	}
	return v.problems
}

type validator struct{ problems FieldErrors }

func (v *validator) fail(field, format string, args ...any) {
	v.problems = append(v.problems, &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:~/@+=-]{0,255}$`)

func (v *validator) identity(m *Message) {
	if m.ID != "" && !idPattern.MatchString(m.ID) {
		v.fail("id", "letters, digits and ._:~/@+=- only, at most 256, starting with a letter or digit")
	}
	v.name("tenant", m.Tenant, 128)
	v.name("user.id", m.User.ID, 128)
	v.name("user.first_name", m.User.FirstName, 256)
	v.name("user.last_name", m.User.LastName, 256)
	if m.User.Address != "" {
		v.address("user", Address{Address: m.User.Address})
		v.userDomain(m.User.Address)
	}
	oneOf(v, "origin", m.Origin, Manual, Automatic)
	oneOf(v, "category", m.Category, Transactional, Marketing)
	oneOf(v, "priority", m.Priority, Critical, Default, Bulk)
	oneOf(v, "on_uncertain", m.OnUncertain, Resend, Hold)
}

// userDomain refuses an address of a user at a domain that mail servers cannot know. One
// that needs SMTPUTF8 is known as such, and stands in no header.
func (v *validator) userDomain(address string) {
	if _, _, err := idn.Address(address); err != nil && CheckAddress(address) == nil {
		v.fail("user.address", "%v", errNoLabels)
	}
}

func oneOf[T ~string](v *validator, field string, got T, known ...T) {
	if got == "" {
		return
	}
	names := make([]string, len(known))
	for i, k := range known {
		if got == k {
			return
		}
		names[i] = string(k)
	}
	v.fail(field, "unknown value %.60q, known are %s", string(got), strings.Join(names, ", "))
}

// A recipientList is one of the three, by the name of its field.
type recipientList struct {
	field string
	list  []Address
}

func (m *Message) lists() []recipientList {
	return []recipientList{{"to", m.To}, {"cc", m.Cc}, {"bcc", m.Bcc}}
}

func (v *validator) recipients(m *Message) {
	count := 0
	for _, l := range m.lists() {
		count += len(l.list)
		for i, a := range l.list {
			v.address(fmt.Sprintf("%s[%d]", l.field, i), a)
		}
	}
	v.reachable(m)
	switch {
	case count == 0 && len(m.Raw) == 0:
		v.fail("to", "no recipients")
	case count > MaxRecipients:
		v.fail("to", "%d recipients, at most %d", count, MaxRecipients)
	}
	if m.From != (Address{}) {
		v.sender("from", m.From)
	}
	if len(m.ReplyTo) > maxReplyTo {
		v.fail("reply_to", "%d addresses, at most %d", len(m.ReplyTo), maxReplyTo)
	}
	for i, a := range m.ReplyTo {
		v.sender(fmt.Sprintf("reply_to[%d]", i), a)
	}
}

// reachable refuses a mail of which no recipient has a domain that mail servers know.
// One of several is the matter of its own verdict.
func (v *validator) reachable(m *Message) {
	if m.Raw != nil || len(v.problems) > 0 {
		return
	}
	var faults []string
	for _, l := range m.lists() {
		for i, a := range l.list {
			if _, _, err := idn.Address(a.Address); err == nil {
				return
			}
			faults = append(faults, fmt.Sprintf("%s[%d].address", l.field, i))
		}
	}
	for _, field := range faults {
		v.fail(field, "%v", errNoLabels)
	}
}

// sender checks an address that stands in the header for every recipient.
func (v *validator) sender(field string, a Address) {
	before := len(v.problems)
	v.address(field, a)
	if len(v.problems) > before {
		return
	}
	if err := checkWritten(a.Address); err != nil {
		v.fail(field+".address", "%v", err)
	}
}

func (v *validator) address(field string, a Address) {
	v.name(field+".name", a.Name, 256)
	if a.Address == "" {
		v.fail(field+".address", "missing")
		return
	}
	if err := CheckAddress(a.Address); err != nil {
		v.fail(field+".address", "%v", err)
	}
}

// line refuses what could end a header line or a line of a log.
func (v *validator) line(field, s string, limit int) {
	switch {
	case len(s) > limit:
		v.fail(field, "%d bytes, at most %d", len(s), limit)
	case !utf8.ValidString(s):
		v.fail(field, "invalid UTF-8")
	case strings.ContainsAny(s, "\r\n"):
		v.fail(field, "contains a line break")
	case strings.ContainsFunc(s, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }):
		v.fail(field, "contains a control character")
	}
}

// name refuses, beside what line does, what makes a name look like another one: a
// change of the writing direction ("invoice\u202efdp.exe" is shown as "invoiceexe.pdf"),
// what is not shown at all, and what ends a line for some readers. Joiners and marks
// that scripts and emoji need are let through.
func (v *validator) name(field, s string, limit int) {
	v.line(field, s, limit)
	if i := strings.IndexFunc(s, deceives); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		v.fail(field, "contains the character %U, which is not shown or changes how the rest is shown", r)
	}
}

// deceives reports the characters of Unicode TR 36 §2.5 and §3.6 that have no place in
// a name: explicit directions, invisible operators, line and paragraph separators.
func deceives(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x206f, r >= 0x2060 && r <= 0x2064,
		r == 0x2028, r == 0x2029, r == 0x200b, r == 0xfeff, r == 0xad, r == 0x180e, r == 0x3164, r == 0xffa0,
		r >= 0xfff9 && r <= 0xfffb, r == 0xe0001:
		return true
	}
	return false
}

func (v *validator) times(m *Message, now time.Time) {
	v.year("not_before", m.NotBefore)
	v.year("expires", m.Expires)
	if m.Expires.IsZero() {
		return
	}
	if !m.Expires.After(now) {
		v.fail("expires", "is in the past")
	}
	if !m.NotBefore.IsZero() && !m.Expires.After(m.NotBefore) {
		v.fail("expires", "is not after not_before")
	}
}

// year refuses what no timestamp of RFC 3339 §5.6 can say, nor Redis store.
func (v *validator) year(field string, t time.Time) {
	if t.Year() > 9999 {
		v.fail(field, "year %d, at most 9999", t.Year())
	}
}

func (v *validator) metadata(metadata map[string]string) {
	size := 0
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		size += len(key) + len(value)
		field := fmt.Sprintf("metadata[%.128q]", key)
		v.name(field, key, 128)
		v.line(field, value, maxMetadataSize)
	}
	if len(metadata) > maxMetadata || size > maxMetadataSize {
		v.fail("metadata", "%d pairs of %d bytes, at most %d pairs of %d bytes", len(metadata), size, maxMetadata, maxMetadataSize)
	}
}
