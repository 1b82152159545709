package accept

import (
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transfer"
)

const (
	perMail = 4 << 10 // the fields that every mail has, and boundaries
	perFile = 2 << 10 // the header of a part, with a name of 255 bytes in two forms
)

// checkSize refuses a mail that would be too large, by the size in which it leaves.
func (r Rules) checkSize(m *rohrpost.Message) *rohrpost.FieldError {
	s := sizes(m)
	total, field, largest := int64(0), "", int64(-1)
	for _, part := range s {
		total += part.octets
		if part.octets > largest {
			field, largest = part.field, part.octets
		}
	}
	if total <= r.maxSize {
		return nil
	}
	return &rohrpost.FieldError{
		Field: field, Problem: fmt.Sprintf("the mail would have about %d bytes, at most %d", total, r.maxSize),
	}
}

// A size is about what a field takes in the mail, and hardly less than that.
type size struct {
	field  string
	octets int64
}

func sizes(m *rohrpost.Message) []size {
	var files int64
	for _, a := range m.Attachments {
		files += transfer.Base64Len(int64(len(a.Content))) + perFile
	}
	text := transfer.TextLen(m.Text)
	if m.Text == "" && m.HTML != "" && !m.NoTextPart {
		text = transfer.TextLen(m.HTML) // it is made from that, and shorter
	}
	list := []size{
		{"attachments", files},
		{"text", text},
		{"html", transfer.TextLen(m.HTML)},
		{"raw", int64(len(m.Raw))},
		{"to", perMail + addressesLen(m)},
		{"headers", fieldsLen(m)},
	}
	if m.Calendar != nil { // among the alternatives, and as a file
		n := int64(len(m.Calendar.Content))
		list = append(list, size{"calendar", transfer.TextLen(m.Calendar.Content) + transfer.Base64Len(2*n) + 2*perFile})
	}
	return list
}

// wordsLen is at least the size of a text as encoded-words, folded (RFC 2047).
func wordsLen(s string) int64 { return int64(len(s))*4 + 100 }

// addressesLen is that of the recipients in the header.
func addressesLen(m *rohrpost.Message) int64 {
	var n int64
	for _, list := range [...][]rohrpost.Address{m.To, m.Cc, m.ReplyTo} {
		for _, a := range list {
			n += 2*int64(len(a.Address)) + 10
			if a.Name != "" {
				n += wordsLen(a.Name)
			}
		}
	}
	return n
}

func fieldsLen(m *rohrpost.Message) int64 {
	n := wordsLen(m.Subject)
	for _, h := range m.Headers {
		n += int64(len(h.Name)) + wordsLen(h.Value)
	}
	for _, h := range m.Unsubscribe.Fields() {
		n += int64(len(h.Name)+len(h.Value)) + 10
	}
	return n
}
