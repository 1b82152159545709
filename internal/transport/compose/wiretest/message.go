package wiretest

import (
	"encoding/base64"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	wordPattern = regexp.MustCompile(`=\?([^?]*)\?([^?]*)\?([^?]*)\?=`)
	idPattern   = regexp.MustCompile(`^<[^<>@ \t]+@[^<>@ \t]+>$`)
	linkPattern = regexp.MustCompile(`^<[^<>[:^graph:]]+>$`)
)

// encodedWords judges those of a field (RFC 2047 §2, §5).
func (j *judge) encodedWords(f *field, place string) {
	for line := range strings.SplitSeq(f.raw, "\r\n") {
		if strings.Contains(line, "=?") && len(line) > 78 && !strings.HasPrefix(f.name, "content-") && len(f.name) < 40 {
			j.add("%s%s: a line with an encoded-word has %d octets", place, f.name, len(line))
		}
	}
	for _, w := range wordPattern.FindAllStringSubmatch(f.raw, -1) {
		switch {
		case len(w[0]) > 75:
			j.add("%s%s: an encoded-word of %d octets", place, f.name, len(w[0]))
		case !strings.EqualFold(w[1], "UTF-8"):
			j.add("%s%s: an encoded-word in %q", place, f.name, w[1])
		}
		text, ok := decodeWord(w[2], w[3])
		if !ok || !utf8.ValidString(text) {
			j.add("%s%s: %q is no whole text", place, f.name, w[0])
		}
	}
	if strings.Contains(wordPattern.ReplaceAllString(f.raw, ""), "=?") {
		j.add("%s%s: half of an encoded-word: %.80q", place, f.name, f.raw)
	}
}

func decodeWord(encoding, content string) (string, bool) {
	if strings.EqualFold(encoding, "B") {
		b, err := base64.StdEncoding.DecodeString(content)
		return string(b), err == nil
	}
	var b []byte
	for i := 0; i < len(content); i++ {
		switch c := content[i]; {
		case c == '_':
			b = append(b, ' ')
		case c == '=':
			if i+2 >= len(content) {
				return "", false
			}
			high, low := strings.IndexByte("0123456789ABCDEF", content[i+1]), strings.IndexByte("0123456789ABCDEF", content[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			b, i = append(b, byte(high<<4|low)), i+2
		case c <= ' ' || c > '~':
			return "", false
		default:
			b = append(b, c)
		}
	}
	return string(b), strings.EqualFold(encoding, "Q")
}

// message judges the fields of the mail as a whole (RFC 5322 §3.6).
func (j *judge) message(fields []field) {
	count := map[string]int{}
	for i := range fields {
		f := &fields[i]
		count[f.name]++
		switch f.name {
		case "from", "to", "cc", "reply-to", "sender", "disposition-notification-to":
			if f.name == "to" && f.value == "undisclosed-recipients:;" {
				continue
			}
			if _, err := mail.ParseAddressList(strings.ReplaceAll(f.value, "@[IPv6:", "@[")); err != nil {
				j.add("%s: %v in %.80q", f.name, err, f.value)
			}
		case "date":
			if _, err := mail.ParseDate(f.value); err != nil {
				j.add("date: %v", err)
			}
		case "message-id":
			if !idPattern.MatchString(f.value) {
				j.add("message-id: %.80q", f.value)
			}
		case "in-reply-to", "references":
			for id := range strings.FieldsSeq(f.value) {
				if !idPattern.MatchString(id) {
					j.add("%s: %.80q", f.name, id)
				}
			}
		case "list-unsubscribe":
			for link := range strings.SplitSeq(f.value, ", ") {
				if !linkPattern.MatchString(link) && !strings.Contains(link, "(") {
					j.add("%s: %.80q", f.name, link)
				}
			}
		case "bcc", "resent-bcc", "return-path":
			j.add("%s is there", f.name)
		}
	}
	for _, name := range []string{"from", "date", "message-id", "mime-version"} {
		if count[name] != 1 {
			j.add("%d fields %s", count[name], name)
		}
	}
	for _, name := range []string{"to", "cc", "reply-to", "sender", "subject", "in-reply-to", "references", "auto-submitted", "precedence", "list-unsubscribe"} {
		if count[name] > 1 {
			j.add("%d fields %s", count[name], name)
		}
	}
}
