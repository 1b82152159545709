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
	v.content(m)
	v.headers(m.Headers)
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
	}
	oneOf(v, "origin", m.Origin, Manual, Automatic)
	oneOf(v, "category", m.Category, Transactional, Marketing)
	oneOf(v, "priority", m.Priority, Critical, Default, Bulk)
	oneOf(v, "on_uncertain", m.OnUncertain, Resend, Hold)
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

func (v *validator) recipients(m *Message) {
	lists := []struct {
		field string
		list  []Address
	}{{"to", m.To}, {"cc", m.Cc}, {"bcc", m.Bcc}}
	count := 0
	for _, l := range lists {
		count += len(l.list)
		for i, a := range l.list {
			v.address(fmt.Sprintf("%s[%d]", l.field, i), a)
		}
	}
	switch {
	case count == 0:
		v.fail("to", "no recipients")
	case count > MaxRecipients:
		v.fail("to", "%d recipients, at most %d", count, MaxRecipients)
	}
	if m.From != (Address{}) {
		v.address("from", m.From)
	}
	if len(m.ReplyTo) > maxReplyTo {
		v.fail("reply_to", "%d addresses, at most %d", len(m.ReplyTo), maxReplyTo)
	}
	for i, a := range m.ReplyTo {
		v.address(fmt.Sprintf("reply_to[%d]", i), a)
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

func (v *validator) content(m *Message) {
	v.line("subject", m.Subject, maxSubject)
	if m.Text == "" && m.HTML == "" && len(m.Attachments) == 0 {
		v.fail("text", "no body: text, html and attachments are all empty")
	}
	v.body("text", m.Text)
	v.body("html", m.HTML)
	for i, a := range m.Attachments {
		field := fmt.Sprintf("attachments[%d]", i)
		v.name(field+".name", a.Name, 255)
		if a.Name == "" && a.ContentID == "" {
			v.fail(field+".name", "missing")
		}
		if strings.ContainsAny(a.Name, `/\`) {
			v.fail(field+".name", "a file name, not a path")
		}
		if a.ContentType != "" && !contentTypePattern.MatchString(a.ContentType) {
			v.fail(field+".content_type", "not a type/subtype")
		}
		if a.ContentID != "" && !contentIDPattern.MatchString(a.ContentID) {
			v.fail(field+".content_id", "letters, digits and ._@+- only, without angle brackets")
		}
	}
}

var (
	contentTypePattern = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[A-Za-z0-9_-]+=([A-Za-z0-9_.-]+|"[A-Za-z0-9_. -]*"))*$`)
	contentIDPattern   = regexp.MustCompile(`^[A-Za-z0-9._@+-]{1,128}$`)
)

func (v *validator) body(field, s string) {
	if !utf8.ValidString(s) {
		v.fail(field, "invalid UTF-8")
	}
	if strings.ContainsRune(s, 0) {
		v.fail(field, "contains a NUL byte")
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

var headerNamePattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,76}$`)

// knownHeaders are the names besides X-… and List-… that an application may
// set. Every other name is written by the worker or by the servers on the way.
var knownHeaders = map[string]bool{
	"in-reply-to": true, "references": true, "importance": true, "priority": true, "precedence": true,
	"keywords": true, "comments": true, "organization": true, "feedback-id": true, "auto-submitted": true,
	"disposition-notification-to": true, "sensitivity": true, "content-language": true, "archived-at": true,
}

func (v *validator) headers(headers []Header) {
	if len(headers) > maxHeaders {
		v.fail("headers", "%d fields, at most %d", len(headers), maxHeaders)
	}
	for i, h := range headers {
		field := fmt.Sprintf("headers[%d]", i)
		name := strings.ToLower(h.Name)
		switch {
		case !headerNamePattern.MatchString(h.Name):
			v.fail(field+".name", "letters, digits and hyphens only, 1 to 76")
		case !knownHeaders[name] && !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "list-"):
			v.fail(field+".name", "unknown or reserved header name %q", h.Name)
		case addressesOthers(name):
			v.fail(field+".name", "%q can make a mail provider send to others: to, cc and bcc say who gets a mail", h.Name)
		}
		v.line(field+".value", h.Value, maxHeaderValue)
	}
}

// providerOrders are the fields by which a provider takes orders in JSON, recipients
// among them: SendGrid's, SparkPost's.
var providerOrders = map[string]bool{"x-smtpapi": true, "x-msys-api": true}

// recipientWords are those of which the name of a field consists that speaks of
// recipients: X-MC-BccAddress (Mandrill), X-Envelope-To, X-Rcpt-To, X-Cc.
var recipientWords = map[string]bool{
	"to": true, "cc": true, "bcc": true, "bccaddress": true, "ccaddress": true, "rcpt": true, "rcpts": true,
	"recipient": true, "recipients": true, "envelope": true, "preserverecipients": true,
}

// addressesOthers reports whether a provider may read recipients out of a field of this
// name, which is in lower case. Those of knownHeaders are none of them.
func addressesOthers(name string) bool {
	if knownHeaders[name] {
		return false
	}
	for word := range strings.SplitSeq(name, "-") {
		if recipientWords[word] {
			return true
		}
	}
	return providerOrders[name]
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
