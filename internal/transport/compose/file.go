package compose

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/idn"
	"github.com/rohrpost/rohrpost/internal/transfer"
)

// files are the attachments: those that the HTML shows, and the others. One with a
// content id that nothing shows is an ordinary attachment: else nobody would see it.
func files(m *rohrpost.Message) (inline, attached []*part, err error) {
	for i := range m.Attachments {
		a := &m.Attachments[i]
		shown := a.ContentID != "" && m.HTML != "" && shows(m.HTML, a.ContentID)
		p, err := newFile(a, shown)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("attachments[%d]: %w", i, err)
		case shown:
			inline = append(inline, p)
		default:
			attached = append(attached, p)
		}
	}
	return inline, attached, nil
}

func newFile(a *rohrpost.Attachment, shown bool) (*part, error) {
	if strings.ContainsFunc(a.Name, unicode.IsControl) {
		return nil, errors.New("name: control character")
	}
	name := norm.NFC.String(strings.ToValidUTF8(a.Name, "_"))
	media, parameters, err := mediaOf(a)
	if err != nil {
		return nil, err
	}
	p := &part{encoding: transfer.Base64, file: a.Content}
	if p.file == nil {
		p.file = []byte{}
	}
	switch {
	case media == "message/rfc822" && asItIs(a.Content): // RFC 2046 §5.2.1: it must not be base64
		p.encoding = transfer.Plain
		p.file = []byte(transfer.LineFeeds(string(a.Content)))
	case strings.HasPrefix(media, "message/"), strings.HasPrefix(media, "multipart/"): // RFC 2046 §5.1
		media, parameters = "application/octet-stream", nil
	}
	p.media = contentType(media, parameters, name)
	if a.ContentID != "" {
		if strings.ContainsFunc(a.ContentID, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
			return nil, errors.New("content id: malformed")
		}
		p.fields = append(p.fields, "Content-ID: <"+a.ContentID+">")
	}
	disposition := "attachment"
	if shown {
		disposition = "inline"
	}
	p.fields = append(p.fields, "Content-Disposition: "+disposition+fileName(name))
	return p, nil
}

// asItIs reports whether a message can be a part of another without being encoded.
func asItIs(message []byte) bool {
	return len(message) > 0 && bytes.IndexByte(message, ':') > 0 && transfer.SevenBit(transfer.LineFeeds(string(message)))
}

// mediaOf is the type asked for or that of the name's ending, and its parameters. A text
// has a charset only if somebody says so, or its content proves it.
func mediaOf(a *rohrpost.Attachment) (media string, parameters map[string]string, err error) {
	const longest = 255 // octets: it stands on one line
	if len(a.ContentType) > longest {
		return "", nil, errors.New("content type: too long")
	}
	if a.ContentType != "" {
		media, parameters, err = mime.ParseMediaType(a.ContentType)
		if err != nil || !strings.Contains(media, "/") {
			return "", nil, errors.New("content type: malformed")
		}
		return media, parameters, nil
	}
	media = typeByName(a.Name)
	if media == "" {
		return "application/octet-stream", nil, nil
	}
	if charset := provenCharset(a.Content); charset != "" && strings.HasPrefix(media, "text/") {
		return media, map[string]string{"charset": charset}, nil
	}
	return media, nil, nil
}

// contentType is the value of the field. The name stands in it, too, as an encoded-word
// if it must: Outlook and Notes look there.
func contentType(media string, parameters map[string]string, name string) string {
	if name == "" {
		return mime.FormatMediaType(media, parameters)
	}
	delete(parameters, "name") // it would be there twice
	value := mime.FormatMediaType(media, parameters)
	if isQuotable(name) {
		return value + ";\r\n name=" + quotedString(name)
	}
	f := &field{empty: true, b: []byte(" name=\"")}
	f.encoded(name, true) // in quotes: neither they nor a backslash may stand there
	return value + ";\r\n" + string(f.b) + `"`
}

// fileName is the parameter of Content-Disposition: always quoted, as some readers end a
// bare word at characters that RFC 2045 §5.1 lets into one; or as RFC 2231 §4 has it.
func fileName(name string) string {
	switch {
	case name == "":
		return ""
	case isQuotable(name):
		return ";\r\n filename=" + quotedString(name)
	}
	return ";\r\n filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// isQuotable reports whether a name can be a quoted-string that every reader takes for
// what it is.
func isQuotable(name string) bool { return idn.ASCII(name) && !strings.Contains(name, "=?") }
