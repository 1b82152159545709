package wiretest

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// content judges the body of an entity by what its header says.
func (j *judge) content(fields []field, body []byte, place string, depth int) {
	one := map[string]string{}
	for _, f := range fields {
		if strings.HasPrefix(f.name, "content-") {
			if _, twice := one[f.name]; twice {
				j.add("%s%s is there twice", place, f.name)
			}
			one[f.name] = f.value
		}
	}
	media, parameters := "text/plain", map[string]string{}
	for name, into := range map[string]*string{"content-type": &media, "content-disposition": nil} {
		value, there := one[name]
		if !there {
			continue
		}
		kind, found, err := mime.ParseMediaType(value)
		if err != nil {
			j.add("%s%s: %v in %.80q", place, name, err, value)
			continue
		}
		if into != nil {
			*into, parameters = kind, found
		}
		for parameter, text := range found {
			if !utf8.ValidString(text) {
				j.add("%s%s: %s is no text", place, name, parameter)
			}
		}
	}
	encoding := strings.ToLower(one["content-transfer-encoding"])
	switch {
	case strings.HasPrefix(media, "multipart/"):
		if encoding != "" && encoding != "7bit" {
			j.add("%s%s in %s", place, media, encoding)
		}
		j.parts(body, media, parameters["boundary"], place, depth)
		return
	case media == "message/rfc822" && encoding != "" && encoding != "7bit":
		j.add("%s%s in %s", place, media, encoding)
	}
	charset := parameters["charset"]
	if one["content-disposition"] != "" {
		charset = "" // of a file the sender has said it
	}
	j.encoded(body, media, charset, encoding, place)
}

// encoded judges a body by its encoding.
func (j *judge) encoded(body []byte, media, charset, encoding, place string) {
	if i := bytes.IndexFunc(body, func(r rune) bool { return r > '\x7f' }); i >= 0 {
		j.add("%soctet above 127 in the body", place)
	}
	var content []byte
	var err error
	switch encoding {
	case "", "7bit":
		content = body
	case "quoted-printable":
		content, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
	case "base64":
		content, err = base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(body, []byte("\r\n"), nil)))
	default:
		j.add("%sencoding %q", place, encoding)
	}
	for line := range bytes.Lines(body) {
		if encoding != "" && encoding != "7bit" && len(line) > 78 {
			j.add("%sa line of %d octets in %s", place, len(line), encoding)
			break
		}
	}
	if err != nil {
		j.add("%s%s: %v", place, encoding, err)
	}
	if strings.EqualFold(charset, "utf-8") && strings.HasPrefix(media, "text/") && !utf8.Valid(content) {
		j.add("%sno UTF-8", place)
	}
}

// parts judges a multipart (RFC 2046 §5.1).
func (j *judge) parts(body []byte, media, boundary, place string, depth int) {
	const deepest = 10
	if boundary == "" || len(boundary) > 70 || depth > deepest {
		j.add("%s%s with the boundary %q", place, media, boundary)
		return
	}
	delimiter := "\r\n--" + boundary
	inside, _, closed := strings.Cut("\r\n"+string(body), delimiter+"--\r\n")
	if !closed {
		j.add("%s%s does not end", place, media)
	}
	list := strings.Split(inside, delimiter+"\r\n")
	if len(list) < 2 {
		j.add("%s%s has no part", place, media)
	}
	for i, part := range list[1:] {
		j.entity([]byte(part), place+string(rune('1'+min(i, 9)))+". part: ", depth+1)
	}
}
