package rawmail

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
)

// Options are what the worker has decided about a message.
type Options struct {
	From      rohrpost.Address // sends instead of the From of the message, if its address is another; zero: that stays
	MessageID string           // with angle brackets, for a message without one
	Date      time.Time        // for a message without one
	EightBit  bool             // the server has 8BITMIME (RFC 6152): octets above 127 may stay in bodies
}

// Edit returns the message as it leaves: with CRLF line ends and lines of at most 998
// octets, without what names other recipients, with Message-ID, Date and, if it has
// Content fields, MIME-Version. If From is replaced, the old one becomes the Reply-To if
// there is none, and Sender goes. Signatures (DKIM, ARC) stay while they verify.
//
// The time grows with the size of raw and no faster. The error is that of ctx, looked at
// every few milliseconds; ErrMessage if Check refuses raw; or that of Options which lack
// what the message lacks.
func Edit(ctx context.Context, raw []byte, o Options) ([]byte, error) {
	m, err := parse(ctx, raw)
	if err != nil {
		return nil, err
	}
	e := &editor{message: m, touched: map[string]bool{}}
	if err := e.fields(o); err != nil {
		return nil, err
	}
	e.parts(o.EightBit)
	if e.mimeVersion() {
		e.add("MIME-Version: 1.0\r\n")
		e.touched["mime-version"] = true
	}
	e.signatures()
	return e.write(ctx)
}

// An edit puts something else in the place of raw[start:end].
type edit struct {
	start, end int
	text       string
	body       func(ctx context.Context, dst, body []byte) []byte // appends the encoded raw[start:end]; instead of text
}

type editor struct {
	*message
	edits   []edit
	touched map[string]bool // names of the fields that are not as they were
	encoded bool            // the body is not as it was
	typed   bool            // a Content field was added to the header of the message
	size    int             // octets that the result has more than raw
}

func (e *editor) replace(f field, text string) {
	e.edits = append(e.edits, edit{start: f.start, end: f.end, text: text})
	e.size += len(text)
	e.touched[f.name] = true
}

// add puts fields at the end of the header.
func (e *editor) add(text string) {
	e.edits = append(e.edits, edit{start: e.header.end, end: e.header.end, text: text})
	e.size += len(text)
}

func (e *editor) fields(o Options) error {
	for _, f := range e.header.fields {
		if takenOut(f.name) {
			e.replace(f, "")
		}
	}
	if err := e.from(o.From); err != nil {
		return err
	}
	if e.info.MessageID == "" {
		if !isMessageID(o.MessageID) {
			return errors.New("no message id for a raw message without one")
		}
		e.add("Message-ID: " + o.MessageID + "\r\n")
		e.touched["message-id"] = true
	}
	if !e.info.Date {
		if o.Date.IsZero() {
			return errors.New("no date for a raw message without one")
		}
		e.add("Date: " + o.Date.Format(time.RFC1123Z) + "\r\n")
		e.touched["date"] = true
	}
	return nil
}

// from replaces From. Whoever answers still answers its author.
func (e *editor) from(a rohrpost.Address) error {
	if a.Address == "" || strings.EqualFold(a.Address, e.info.From.Address) {
		return nil
	}
	text, err := fromField(a)
	if err != nil {
		return err
	}
	old, _ := e.header.get("from")
	e.replace(old, text)
	if sender, ok := e.header.get("sender"); ok {
		e.replace(sender, "")
	}
	if !e.info.ReplyTo {
		_, value, _ := bytes.Cut(e.raw[old.start:old.end], []byte(":"))
		e.add(string(appendCRLF([]byte("Reply-To:"), value)))
		e.touched["reply-to"] = true
	}
	return nil
}

// parts encodes the parts that the server would not take.
func (e *editor) parts(eightBit bool) {
	for _, l := range e.leaves {
		if !l.fits(eightBit) {
			e.encode(l)
		}
	}
	for _, l := range e.labels {
		switch {
		case !e.encoded:
		case !eightBit:
			e.replace(l.field, encodingField("7bit"))
		case l.encoding == "binary":
			e.replace(l.field, encodingField("8bit"))
		}
	}
}

func (e *editor) encode(l leaf) {
	e.encoded = true
	encoding, write, more := l.encoder()
	e.edits = append(e.edits, edit{start: l.start, end: l.end, body: write})
	e.size += more
	if encoding == l.encoding {
		return
	}
	text := encodingField(encoding)
	if l.content.field.end > 0 {
		e.replace(l.content.field, text)
	} else {
		e.edits = append(e.edits, edit{start: l.header, end: l.header, text: text})
		e.touched["content-transfer-encoding"] = true
	}
	if !l.typed && l.text() && utf8.Valid(e.raw[l.start:l.end]) {
		text = "Content-Type: text/plain; charset=utf-8\r\n" // else it is ASCII (RFC 2045 §5.2)
		e.edits = append(e.edits, edit{start: l.header, end: l.header, text: text})
		e.touched["content-type"] = true
	}
	e.typed = e.typed || l.header == e.header.end
}

func encodingField(encoding string) string { return "Content-Transfer-Encoding: " + encoding + "\r\n" }

// mimeVersion reports whether a MIME-Version is missing (RFC 2045 §4): without it, some
// readers show the source of a mail.
func (e *editor) mimeVersion() bool {
	content := e.typed
	for _, f := range e.header.fields {
		if f.name == "mime-version" {
			return false
		}
		content = content || strings.HasPrefix(f.name, "content-")
	}
	return content
}

func (e *editor) signatures() {
	dkim, arc := e.brokenSignatures(e.touched, e.encoded)
	for _, f := range e.header.fields {
		if dkim[f.start] || arc && strings.HasPrefix(f.name, "arc-") {
			e.replace(f, "")
		}
	}
}

func (e *editor) write(ctx context.Context) ([]byte, error) {
	slices.SortStableFunc(e.edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	out := make([]byte, 0, len(e.raw)+e.bareLF+e.size+len("\r\n\r\n"))
	pos := 0
	for _, edit := range e.edits {
		out = appendCRLF(out, e.raw[pos:edit.start])
		if edit.body != nil {
			out = edit.body(ctx, out, e.raw[edit.start:edit.end])
		} else {
			out = append(endLine(out), edit.text...)
		}
		pos = edit.end
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	out = endLine(appendCRLF(out, e.raw[pos:]))
	if !e.header.body {
		out = append(out, '\r', '\n')
	}
	return out, ctx.Err()
}

// endLine ends the last line of a message where that has no end.
func endLine(out []byte) []byte {
	if len(out) > 0 && out[len(out)-1] != '\n' {
		return append(out, '\r', '\n')
	}
	return out
}
