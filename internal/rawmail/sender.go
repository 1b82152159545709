package rawmail

import (
	"errors"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"

	"github.com/rohrpost/rohrpost"
)

// foldedLine is where a line is folded if it can be, RFC 5322 §2.1.1.
const foldedLine = 76

// fromField is a From field. An address of ASCII with an international domain gets that
// as A-labels, so that it does not need SMTPUTF8.
func fromField(a rohrpost.Address) (string, error) {
	if rohrpost.CheckAddress(a.Address) != nil {
		return "", errors.New("the sender of a raw message is no mail address")
	}
	at := strings.LastIndexByte(a.Address, '@')
	if domain, err := idna.Lookup.ToASCII(a.Address[at+1:]); err == nil && high([]byte(a.Address[:at])) == 0 {
		a.Address = a.Address[:at+1] + domain
	}
	for _, name := range []string{strings.ToValidUTF8(a.Name, "\uFFFD"), ""} {
		text := folded("From", (&mail.Address{Name: name, Address: a.Address}).String())
		if !tooLong(text) {
			return text, nil
		}
	}
	return "", errors.New("the sender of a raw message does not fit into a line")
}

// folded is a field with line breaks in front of words (RFC 5322 §2.2.3).
func folded(name, value string) string {
	var b strings.Builder
	b.WriteString(name + ":")
	line := b.Len()
	for i, word := range strings.Split(value, " ") {
		if i > 0 && word != "" && line+1+len(word) > foldedLine {
			b.WriteString("\r\n")
			line = 0
		}
		b.WriteString(" " + word)
		line += 1 + len(word)
	}
	b.WriteString("\r\n")
	return b.String()
}

func tooLong(text string) bool {
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > maxLine {
			return true
		}
	}
	return false
}
