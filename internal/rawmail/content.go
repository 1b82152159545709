package rawmail

import (
	"errors"
	"mime"
	"strings"
)

const (
	plainText     = "text/plain" // RFC 2045 §5.2
	messageRFC822 = "message/rfc822"
)

// A content is what a header says about its body.
type content struct {
	media    string // type/subtype, in lower case
	typed    bool   // there is a Content-Type
	smime    string // the smime-type of application/pkcs7-mime (RFC 8551 §3.2.2)
	boundary string // of a multipart
	encoding string // the transfer encoding, in lower case; 7bit if there is none
	field    field  // the Content-Transfer-Encoding, if there is one
}

func contentOf(raw []byte, h header, fallback string) (content, error) {
	c := content{media: fallback, encoding: "7bit"}
	if err := h.once(" content-type content-transfer-encoding "); err != nil {
		return c, err
	}
	if f, ok := h.get("content-transfer-encoding"); ok {
		c.field, c.encoding = f, strings.ToLower(f.value(raw))
	}
	f, ok := h.get("content-type")
	if !ok {
		return c, nil
	}
	media, parameters, err := mime.ParseMediaType(f.value(raw))
	c.media, c.typed, c.smime = media, true, strings.ToLower(parameters["smime-type"])
	multipart := strings.HasPrefix(media, "multipart/")
	if multipart {
		c.boundary = parameters["boundary"]
	}
	switch {
	case err != nil && (multipart || !errors.Is(err, mime.ErrInvalidMediaParameter)), !strings.Contains(media, "/"):
		return c, refuse("Content-Type: malformed (RFC 2045 §5.1)")
	case multipart && !isBoundary(c.boundary):
		return c, refuse("%s: no boundary of 1 to 70 characters (RFC 2046 §5.1.1)", media)
	case multipart && !c.identity():
		return c, refuse("%s: no transfer encoding but 7bit, 8bit and binary is allowed (RFC 2045 §6.4)", media)
	}
	return c, nil
}

// isBoundary is RFC 2046 §5.1.1, with more characters than are allowed there: all that
// are printable.
func isBoundary(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 70 && s[len(s)-1] != ' '
}

// identity reports whether the body stands there as it is (RFC 2045 §6.2).
func (c content) identity() bool {
	return c.encoding == "7bit" || c.encoding == "8bit" || c.encoding == "binary"
}

// message reports whether the body is a message, whose parts may be encoded and which
// itself may not (RFC 2046 §5.2.1; RFC 6532 §3.7 for message/global).
func (c content) message() bool {
	return c.media == messageRFC822 || c.media == "message/global" || c.media == "message/news"
}

// sealed reports whether each octet of the body counts: it is signed or encrypted.
func (c content) sealed() bool {
	switch c.media {
	case "multipart/signed", "multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	}
	return false
}

func (c content) encrypted() bool {
	return c.media == "multipart/encrypted" || c.media != "multipart/signed" && c.smime != "signed-data"
}
