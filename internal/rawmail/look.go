package rawmail

import (
	"errors"
	"io"
	"mime"
	"net/mail"
	"strings"

	"github.com/rohrpost/rohrpost"
)

const (
	// maxReceived is how many servers a mail passes at most: more is a loop (5.4.6 in RFC
	// 3463 §3.5).
	maxReceived = 30

	// single are the fields of which a message has one at most: RFC 5322 §3.6, RFC 2045 §3,
	// RFC 2369 §3.4, RFC 8058 §3.1. Readers do not agree on which of two counts.
	single = " from sender reply-to to cc bcc message-id in-reply-to references subject date mime-version content-type" +
		" content-transfer-encoding content-id content-disposition content-description list-unsubscribe list-unsubscribe-post "
)

// look reads what the header says, and refuses what it may not say.
func (m *message) look() error {
	if len(m.header.fields) == 0 {
		return refuse("it has no header")
	}
	if err := m.header.once(single); err != nil {
		return err
	}
	received := 0
	for _, f := range m.header.fields {
		if f.name == "received" {
			received++
		}
	}
	if received > maxReceived {
		return refuse("Received: %d times, at most %d: this mail runs in a loop", received, maxReceived)
	}
	if err := m.lookAddresses(); err != nil {
		return err
	}
	if f, ok := m.header.get("message-id"); ok {
		if m.info.MessageID = f.value(m.raw); !isMessageID(m.info.MessageID) {
			return refuse("Message-ID: not of the form <left@right> (RFC 5322 §3.6.4)")
		}
	}
	if f, ok := m.header.get("subject"); ok {
		m.info.Subject = decoded(f.value(m.raw))
	}
	if f, ok := m.header.get("auto-submitted"); ok {
		word, _, _ := strings.Cut(f.value(m.raw), ";")
		m.info.AutoSubmitted = !strings.EqualFold(strings.TrimSpace(word), "no")
	}
	_, m.info.Date = m.header.get("date")
	return nil
}

func (m *message) lookAddresses() error {
	f, ok := m.header.get("from")
	if !ok {
		return refuse("From: missing (RFC 5322 §3.6)")
	}
	// As a Reply-To, the same value must fit.
	if most := maxLine - (len("Reply-To") - len("From")); f.line > most {
		return refuse("From: a line of %d octets, at most %d: fold it", f.line, most)
	}
	for _, field := range []struct {
		name string
		keep *[]rohrpost.Address
	}{{"from", nil}, {"sender", nil}, {"reply-to", nil}, {"to", &m.info.To}, {"cc", &m.info.Cc}, {"bcc", &m.info.Bcc}} {
		f, ok := m.header.get(field.name)
		if !ok || field.name == "bcc" && f.value(m.raw) == "" { // RFC 5322 §3.6.3 allows that
			continue
		}
		list, err := addresses(f.value(m.raw))
		if err != nil {
			return refuse("%s: %w", titled(f.name), err)
		}
		switch {
		case (field.name == "from" || field.name == "sender") && len(list) != 1:
			return refuse("%s: %d addresses, exactly one", titled(f.name), len(list))
		case field.name == "from":
			m.info.From = list[0]
		case field.name == "reply-to":
			m.info.ReplyTo = true
		case field.keep != nil:
			*field.keep = list
		}
	}
	return nil
}

// addresses reads an address list (RFC 5322 §3.4) with its groups.
func addresses(value string) ([]rohrpost.Address, error) {
	// What a name says is not needed to send.
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		CharsetReader: func(_ string, in io.Reader) (io.Reader, error) { return in, nil },
	}}
	parsed, err := parser.ParseList(value)
	if err != nil {
		return nil, errors.New("no list of addresses (RFC 5322 §3.4)")
	}
	list := make([]rohrpost.Address, len(parsed))
	for i, p := range parsed {
		if rohrpost.CheckAddress(p.Address) != nil {
			return nil, errors.New("an address that no server takes")
		}
		list[i] = rohrpost.Address{Name: strings.ToValidUTF8(p.Name, "\uFFFD"), Address: p.Address}
	}
	return list, nil
}

// decoded has the encoded words of RFC 2047 replaced, unless one has a charset that is
// not known here.
func decoded(value string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return value
}

// isMessageID is RFC 5322 §3.6.4, in printable ASCII.
func isMessageID(id string) bool {
	inner, opened := strings.CutPrefix(id, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	left, right, at := strings.Cut(inner, "@")
	for i := range len(inner) {
		if c := inner[i]; c <= ' ' || c > '~' || c == '<' || c == '>' {
			return false
		}
	}
	return opened && closed && at && left != "" && right != "" && len(id) <= maxLine-len("Message-ID: ")
}
