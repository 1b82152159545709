package compose

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/idn"
)

// appendHeader writes the fields of the mail but those of its content.
func appendHeader(b []byte, in *Input) ([]byte, error) {
	m := in.Message
	switch {
	case !isMessageID(in.MessageID):
		return nil, errors.New("message id: malformed")
	case in.Date.IsZero():
		return nil, errors.New("date: missing")
	}
	b = line(b, "Date", in.Date.Format(time.RFC1123Z))
	b = line(b, "Message-ID", in.MessageID)
	var err error
	sender := 0 // where the fields of the sender end
	for _, f := range []struct {
		name string
		list []rohrpost.Address
	}{
		{"From", []rohrpost.Address{in.From}},
		{"Reply-To", in.ReplyTo},
		{"To", m.To},
		{"Cc", m.Cc},
	} {
		if b, err = appendAddresses(b, f.name, f.list, in.UTF8); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if f.name == "Reply-To" {
			sender = len(b)
		}
	}
	if len(b) == sender { // all of them are hidden, or cannot be written
		b = line(b, "To", "undisclosed-recipients:;")
	}
	if m.Subject != "" {
		if err := checkText(m.Subject); err != nil {
			return nil, fmt.Errorf("subject: %w", err)
		}
		f := newField(b, "Subject")
		f.text(m.Subject)
		b = f.end()
	}
	b = appendAutomatic(b, m)
	if b, err = appendCustom(b, m.Headers); err != nil {
		return nil, err
	}
	return line(b, "MIME-Version", "1.0"), nil
}

// line adds a field that is not folded.
func line(b []byte, name, value string) []byte {
	return append(append(append(append(b, name...), ": "...), value...), '\r', '\n')
}

// appendAutomatic tells programs that a program sends (RFC 3834 §5, and for Exchange
// MS-OXCMAIL §2.2.3.2.14), and that the mail goes to many, unless the message says so
// itself.
func appendAutomatic(b []byte, m *rohrpost.Message) []byte {
	for _, f := range []struct {
		name, value string
		said        bool
	}{
		{"Auto-Submitted", "auto-generated", m.Origin != rohrpost.Manual},
		{"X-Auto-Response-Suppress", "All", m.Origin != rohrpost.Manual},
		{"Precedence", "bulk", m.Category == rohrpost.Marketing},
	} {
		if f.said && !has(m.Headers, f.name) {
			b = line(b, f.name, f.value)
		}
	}
	return b
}

func has(headers []rohrpost.Header, name string) bool {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// appendAddresses adds a list of mailboxes. An address that this header cannot hold is
// left out, for its recipient has a verdict of its own; but for that of the sender.
func appendAddresses(b []byte, name string, list []rohrpost.Address, smtputf8 bool) ([]byte, error) {
	f := newField(b, name)
	for i, a := range list {
		if err := checkText(a.Name); err != nil {
			return nil, fmt.Errorf("[%d]: display name: %w", i, err)
		}
		if err := rohrpost.CheckAddress(a.Address); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		written, needsUTF8, err := idn.Address(a.Address)
		if err == nil && needsUTF8 && !smtputf8 {
			err = errors.New("the part before @ has characters that need SMTPUTF8")
		}
		switch {
		case err != nil && name == "From":
			return nil, fmt.Errorf("[%d]: %w", i, err)
		case err != nil:
			continue
		}
		f.mailbox(a.Name, written)
	}
	if f.empty {
		return b, nil
	}
	return f.end(), nil
}

// mailbox adds one to a list (RFC 5322 §3.4).
func (f *field) mailbox(name, address string) {
	if !f.empty {
		f.b = append(f.b, ',')
	}
	if name != "" {
		f.phrase(name)
	}
	f.word("<" + address + ">")
}

// needsUTF8 reports whether the header has an address that can be written only where
// SMTPUTF8 is, and whether that is the sender's, without which there is no header.
func needsUTF8(in *Input) (some, sender bool) {
	for i, list := range [...][]rohrpost.Address{{in.From}, in.ReplyTo, in.Message.To, in.Message.Cc} {
		for _, a := range list {
			if idn.ASCII(a.Address) {
				continue
			}
			if _, needs, err := idn.Address(a.Address); needs && err == nil {
				some, sender = true, sender || i == 0
			}
		}
	}
	return some, sender
}

// checkText finds what no header holds, encoded or not.
func checkText(s string) error {
	if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }); i >= 0 {
		return fmt.Errorf("control character at byte %d", i)
	}
	if !utf8.ValidString(s) {
		return errors.New("invalid UTF-8")
	}
	return nil
}

// isMessageID reports whether id is <id-left@id-right> of printable ASCII (RFC 5322
// §3.6.4).
func isMessageID(id string) bool {
	inner, open := strings.CutPrefix(id, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	left, right, at := strings.Cut(inner, "@")
	printable := !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
	return open && closed && at && left != "" && right != "" && printable
}
