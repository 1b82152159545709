package compose

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/textproto"
	"path"
	"strings"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/rohrpost/rohrpost"
)

func setFiles(ctx context.Context, msg *gomail.Msg, out *mailText, list []rohrpost.Attachment) error {
	var inline, attached []*gomail.File
	for i := range list {
		a := &list[i]
		file, err := newFile(ctx, out, a)
		if err != nil {
			return fmt.Errorf("attachments[%d]: %w", i, err)
		}
		if a.ContentID != "" {
			inline = append(inline, file)
		} else {
			attached = append(attached, file)
		}
	}
	msg.SetEmbeds(inline)
	msg.SetAttachments(attached)
	return nil
}

// newFile sets every header field of the part itself: go-mail's own would put
// names into them unescaped.
func newFile(ctx context.Context, out *mailText, a *rohrpost.Attachment) (*gomail.File, error) {
	if strings.ContainsFunc(a.Name, unicode.IsControl) {
		return nil, errors.New("name: control character")
	}
	contentType, err := contentTypeOf(a)
	if err != nil {
		return nil, err
	}
	disposition, header := "attachment", textproto.MIMEHeader{}
	if a.ContentID != "" {
		if err := checkContentID(a.ContentID); err != nil {
			return nil, err
		}
		disposition = "inline"
		header.Set("Content-ID", "<"+a.ContentID+">")
	}
	var parameters map[string]string
	if a.Name != "" {
		parameters = map[string]string{"filename": strings.ToValidUTF8(a.Name, "_")}
	}
	header.Set("Content-Disposition", mime.FormatMediaType(disposition, parameters))
	header.Set("Content-Type", contentType)
	header.Set("Content-Transfer-Encoding", "base64")
	return &gomail.File{Name: a.Name, Header: header, Writer: bodyOf(ctx, out, appendBase64, a.Content)}, nil
}

// contentTypeOf is the type asked for or the one of the name's ending. What
// must not be base64 (RFC 2046 §5.1, §5.2.1: multipart, message) goes as bytes.
func contentTypeOf(a *rohrpost.Attachment) (string, error) {
	const bytesOnly = "application/octet-stream"
	asked := a.ContentType
	if asked == "" {
		asked = mime.TypeByExtension(path.Ext(a.Name))
	}
	if asked == "" {
		asked = bytesOnly
	}
	media, parameters, err := mime.ParseMediaType(asked)
	if err != nil {
		return "", fmt.Errorf("content type: %w", err)
	}
	if strings.HasPrefix(media, "multipart/") || strings.HasPrefix(media, "message/") {
		media, parameters = bytesOnly, map[string]string{}
	}
	if a.Name != "" {
		parameters["name"] = strings.ToValidUTF8(a.Name, "_")
	}
	formatted := mime.FormatMediaType(media, parameters)
	if formatted == "" || strings.ContainsFunc(formatted, unicode.IsControl) || !strings.Contains(media, "/") {
		return "", errors.New("content type: malformed")
	}
	return formatted, nil
}

// checkContentID allows printable ASCII without angle brackets (RFC 2392).
func checkContentID(id string) error {
	if strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
		return errors.New("content id: malformed")
	}
	return nil
}
