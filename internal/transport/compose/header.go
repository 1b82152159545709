package compose

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/rohrpost/rohrpost"
)

// setCustom adds the message's own header fields. A name that occurs twice
// becomes one field with a comma (go-mail keeps one field a name).
func setCustom(msg *gomail.Msg, headers []rohrpost.Header) error {
	values := make(map[string][]string, len(headers))
	for i, h := range headers {
		name := canonical(h.Name)
		if name == "" || reserved(name) {
			return fmt.Errorf("headers[%d]: name %q is not allowed", i, h.Name)
		}
		value, err := headerValue(h.Value)
		if err != nil {
			return fmt.Errorf("headers[%d] %s: %w", i, h.Name, err)
		}
		values[name] = append(values[name], value)
	}
	for name, list := range values {
		msg.SetGenHeader(gomail.Header(name), list...)
	}
	return nil
}

// canonical is the name with capitals after hyphens, or "" if it is no name of
// letters, digits and hyphens. go-mail writes names unchecked.
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

// headerValue is the value on one line, with single spaces (a run of white
// space means the same, RFC 5322 §3.2.2) so that folding makes no empty line.
func headerValue(s string) (string, error) {
	if i := strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }); i >= 0 {
		return "", fmt.Errorf("control character at byte %d", i)
	}
	if !utf8.ValidString(s) {
		return "", errors.New("invalid UTF-8")
	}
	if !strings.Contains(s, "  ") && strings.TrimSpace(s) == s && !strings.Contains(s, "\t") {
		return s, nil
	}
	return strings.Join(strings.Fields(s), " "), nil
}

// mailbox is the address for a header: the domain as A-labels, unless the local
// part needs SMTPUTF8 anyway (RFC 6532 §3.2).
func mailbox(a rohrpost.Address) (*mail.Address, error) {
	if err := rohrpost.CheckAddress(a.Address); err != nil {
		return nil, err
	}
	name, err := headerValue(a.Name)
	if err != nil {
		return nil, fmt.Errorf("display name: %w", err)
	}
	if isASCII(a.Address) {
		return &mail.Address{Name: name, Address: a.Address}, nil
	}
	at := strings.LastIndexByte(a.Address, '@')
	if local := a.Address[:at]; isASCII(local) {
		domain, err := idna.Lookup.ToASCII(a.Address[at+1:])
		if err != nil {
			return nil, fmt.Errorf("domain: %w", err)
		}
		return &mail.Address{Name: name, Address: local + "@" + domain}, nil
	}
	return &mail.Address{Name: name, Address: a.Address}, nil
}

// checkMessageID allows <id-left@id-right> of printable ASCII (RFC 5322 §3.6.4).
func checkMessageID(id string) error {
	inner, open := strings.CutPrefix(id, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	left, right, at := strings.Cut(inner, "@")
	printable := !strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
	if !open || !closed || !at || left == "" || right == "" || !printable {
		return errors.New("message id: malformed")
	}
	return nil
}

func isASCII(s string) bool {
	for ; len(s) >= 8; s = s[8:] { // bodies are long
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&utf8.RuneSelf != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
