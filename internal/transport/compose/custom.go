package compose

import (
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/headerfield"
)

// appendCustom adds the message's own fields, in their order. Two fields of msg-ids are
// one list.
func appendCustom(b []byte, headers []rohrpost.Header) ([]byte, error) {
	written := map[string]bool{}
	for i, h := range headers {
		name := canonical(h.Name)
		if name == "" || reserved(name) {
			return nil, fmt.Errorf("headers[%d]: name %q is not allowed", i, h.Name)
		}
		lower := strings.ToLower(name)
		err := checkText(h.Value)
		if err == nil {
			err = headerfield.Check(lower, h.Value)
		}
		if err != nil {
			return nil, fmt.Errorf("headers[%d] %s: %w", i, h.Name, err)
		}
		value := h.Value
		if headerfield.KindOf(lower) == headerfield.MessageIDs {
			value = allOf(headers, lower)
		}
		if headerfield.Once(lower) || headerfield.KindOf(lower) == headerfield.MessageIDs {
			if written[lower] {
				continue
			}
			written[lower] = true
		}
		b = appendField(b, name, lower, value)
	}
	return b, nil
}

// allOf are the values of all fields of a name.
func allOf(headers []rohrpost.Header, lower string) string {
	var values []string
	for _, h := range headers {
		if strings.EqualFold(h.Name, lower) {
			values = append(values, h.Value)
		}
	}
	return strings.Join(values, " ")
}

// appendField writes one field by the kind of its value.
func appendField(b []byte, name, lower, value string) []byte {
	f := newField(b, name)
	switch headerfield.KindOf(lower) {
	case headerfield.Text:
		f.text(value)
	case headerfield.Phrases:
		for phrase := range strings.SplitSeq(value, ",") {
			if phrase = strings.TrimSpace(phrase); phrase == "" {
				continue
			}
			if !f.empty {
				f.b = append(f.b, ',')
			}
			f.phrase(phrase)
		}
	case headerfield.Addresses:
		list, _ := headerfield.ParseAddresses(value) // it was checked
		for _, a := range list {
			f.mailbox(a.Name, a.Address)
		}
	case headerfield.MessageIDs:
		for _, id := range trimmed(messageIDs(value)) {
			f.word(id)
		}
	case headerfield.ListID:
		at := strings.LastIndexByte(value, '<')
		if phrase := strings.TrimSpace(value[:at]); phrase != "" {
			f.phrase(strings.Trim(phrase, `"`))
		}
		f.word(strings.TrimSpace(value[at:]))
	case headerfield.Links, headerfield.Token:
		f.words(strings.Join(strings.Fields(value), " "))
	}
	if f.empty {
		return b
	}
	return f.end()
}

// messageIDs are the ids of a list, with or without blanks between them.
func messageIDs(value string) []string {
	return strings.Fields(strings.ReplaceAll(value, "><", "> <"))
}

// trimmed leaves out ids in the middle of a long conversation: the first one and the
// latest tell a reader where the mail belongs (RFC 5537 §3.4.4).
func trimmed(ids []string) []string {
	const mostOctets = 2000
	size := 0
	for _, id := range ids {
		size += len(id) + 1
	}
	for len(ids) > 2 && size > mostOctets {
		size -= len(ids[1]) + 1
		ids = append(ids[:1:1], ids[2:]...)
	}
	return ids
}

// canonical is the name with capitals after hyphens, or "" if it is no name of
// letters, digits and hyphens.
func canonical(name string) string {
	b := []byte(name)
	upper := true
	for i, c := range b {
		switch {
		case 'a' <= c && c <= 'z' && upper:
			b[i] = c - 'a' + 'A'
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return ""
		}
		upper = c == '-'
	}
	return string(b)
}

// reserved are the fields that only rohrpost and the servers on the way write.
func reserved(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "mime-version",
		"sender", "return-path", "received", "dkim-signature", "envelopefrom":
		return true
	}
	return strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "resent-")
}
