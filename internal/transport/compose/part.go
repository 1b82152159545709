package compose

import (
	"context"
	"crypto/rand"

	"github.com/rohrpost/rohrpost/internal/transfer"
)

// A part is an entity of the mail (RFC 2045 §2.4): a multipart with its parts, or a leaf.
type part struct {
	media      string   // with its parameters but the boundary
	fields     []string // beside Content-Type and Content-Transfer-Encoding: whole lines without CRLF
	parts      []*part
	encoding   transfer.Encoding
	size       int64  // of the encoded text
	text       string // of a text; its line ends are LF
	file       []byte // of a file: base64, or as it is if that is the encoding
	isMultiple bool
}

func multipart(media string, parts ...*part) *part {
	return &part{media: "multipart/" + media, parts: parts, isMultiple: true}
}

// one is a multipart, or its part alone if there is just one.
func one(media string, parts ...*part) *part {
	if len(parts) == 1 {
		return parts[0]
	}
	return multipart(media, parts...)
}

func textPart(media, text string) *part {
	p := &part{media: media, text: transfer.LineFeeds(text)}
	p.encoding, p.size = transfer.Choose(p.text)
	return p
}

// room is about the size of the part, and of a large one never less: to grow is to have
// it in memory twice.
func (p *part) room() int64 {
	const header = 512
	size := header + p.size + transfer.Base64Len(int64(len(p.file)))
	for _, inner := range p.parts {
		size += inner.room()
	}
	return size
}

// append writes the part; the error is that of ctx.
func (p *part) append(ctx context.Context, b []byte) ([]byte, error) {
	if p.isMultiple {
		return p.appendParts(ctx, b)
	}
	b = line(b, "Content-Type", p.media)
	for _, f := range p.fields {
		b = append(append(b, f...), '\r', '\n')
	}
	b = line(b, "Content-Transfer-Encoding", string(p.encoding))
	b = append(b, '\r', '\n')
	switch {
	case p.file == nil:
		b = transfer.AppendText(ctx, b, p.text, p.encoding)
	case p.encoding == transfer.Base64:
		b = transfer.AppendBase64(ctx, b, p.file)
	default:
		b = transfer.AppendLines(ctx, b, string(p.file))
	}
	return b, ctx.Err()
}

// appendParts writes a multipart (RFC 2046 §5.1).
func (p *part) appendParts(ctx context.Context, b []byte) ([]byte, error) {
	boundary := rand.Text() + rand.Text() // in no content, but by a chance of 2^-256
	b = line(b, "Content-Type", p.media+";\r\n boundary=\""+boundary+"\"")
	for _, inner := range p.parts {
		b = append(append(append(b, "\r\n--"...), boundary...), '\r', '\n')
		var err error
		if b, err = inner.append(ctx, b); err != nil {
			return nil, err
		}
	}
	return append(append(append(b, "\r\n--"...), boundary...), "--\r\n"...), nil
}
