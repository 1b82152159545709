package rohrpost

import (
	"fmt"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"
)

func (v *validator) content(m *Message) {
	v.line("subject", m.Subject, maxSubject)
	if m.Text == "" && m.HTML == "" && m.Calendar == nil && len(m.Attachments) == 0 {
		v.fail("text", "no body: text, html, calendar and attachments are all empty")
	}
	v.body("text", m.Text)
	v.body("html", m.HTML)
	contentIDs := map[string]bool{}
	for i, a := range m.Attachments {
		field := fmt.Sprintf("attachments[%d]", i)
		v.fileName(field+".name", a.Name)
		if a.Name == "" && a.ContentID == "" {
			v.fail(field+".name", "missing")
		}
		if a.Content == nil {
			v.fail(field+".content", "missing: an empty file has content that is not null")
		}
		if strings.ContainsAny(a.Name, `/\`) {
			v.fail(field+".name", "a file name, not a path")
		}
		if a.ContentType != "" && !isContentType(a.ContentType) {
			v.fail(field+".content_type", "not a type/subtype")
		}
		if a.ContentID != "" && contentIDs[a.ContentID] {
			v.fail(field+".content_id", "is there twice")
		}
		contentIDs[a.ContentID] = true
		if a.ContentID != "" && !contentIDPattern.MatchString(a.ContentID) {
			v.fail(field+".content_id", "letters, digits and ._@+- only, without angle brackets")
		}
	}
}

// raw refuses what a whole message says itself.
func (v *validator) raw(m *Message) {
	for _, f := range []struct {
		field string
		given bool
	}{
		{"from", m.From != (Address{})},
		{"reply_to", len(m.ReplyTo) > 0},
		{"subject", m.Subject != ""},
		{"text", m.Text != ""},
		{"html", m.HTML != ""},
		{"no_text_part", m.NoTextPart},
		{"calendar", m.Calendar != nil},
		{"headers", len(m.Headers) > 0},
		{"attachments", len(m.Attachments) > 0},
		{"unsubscribe", m.Unsubscribe != nil},
	} {
		if f.given {
			v.fail(f.field, "is said by raw, which is a whole message: leave it away")
		}
	}
}

var (
	contentTypePattern = regexp.MustCompile(`^[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(; ?[A-Za-z0-9_-]+=([A-Za-z0-9_.-]+|"[A-Za-z0-9_. -]*"))*$`)
	contentIDPattern   = regexp.MustCompile(`^[A-Za-z0-9._@+-]{1,128}$`)
)

// isContentType reports whether s is a type as RFC 2045 §5.1 has it, on one line.
func isContentType(s string) bool {
	const longest = 255 // bytes
	_, _, err := mime.ParseMediaType(s)
	return err == nil && len(s) <= longest && contentTypePattern.MatchString(s)
}

// fileName refuses, beside what name does, a tabulator: no file system shows it.
func (v *validator) fileName(field, s string) {
	v.name(field, s, 255)
	if strings.Contains(s, "\t") {
		v.fail(field, "contains a control character")
	}
}

func (v *validator) body(field, s string) {
	if !utf8.ValidString(s) {
		v.fail(field, "invalid UTF-8")
	}
	if strings.ContainsRune(s, 0) {
		v.fail(field, "contains a NUL byte")
	}
}
