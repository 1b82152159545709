package compose

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/internal/transfer"
)

// ErrMessage is the identity of every refusal. The message names the field.
var ErrMessage = errors.New("cannot be composed")

// Input is a message and what the worker has decided about it.
type Input struct {
	Message   *rohrpost.Message // Text, HTML, Calendar and the Content of attachments are filled; its From and ReplyTo are not used
	MessageID string            // with angle brackets
	Date      time.Time
	From      rohrpost.Address
	ReplyTo   []rohrpost.Address // may be empty
	Branding  *branding.Look     // around HTML; may be nil
	Unbranded func(why error)    // told when the HTML goes without its look; may be nil
	// UTF8 writes addresses whose local part is not ASCII, which only a server with
	// SMTPUTF8 takes. Without it, To and Cc lack them.
	UTF8 bool
}

// Compose writes the mail, in a time that grows with its size and no faster. The
// error is that of ctx, looked at every few milliseconds; or it is ErrMessage,
// wrapped, and permanent: the same input fails again. Apart from the boundaries of
// a multipart mail, the same input gives the same bytes.
//
// What Message.Validate accepts is composed, if MessageID, Date, From and ReplyTo are
// right.
func Compose(ctx context.Context, in Input) ([]byte, error) {
	own := in.Message
	branded, err := in.Branding.Wrap(own)
	if err != nil && in.Unbranded != nil {
		in.Unbranded(err)
	}
	in.Message = branded
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := appendHeader(make([]byte, 0, sizeOf(in.Message)), &in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	content, err := contentOf(ctx, in.Message, own)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if b, err = content.append(ctx, b); err != nil {
		return nil, err
	}
	return b, nil
}

// sizeOf is enough for most mails, so that the result grows at most once.
func sizeOf(m *rohrpost.Message) int {
	const header, perPart, perAddress = 2048, 512, 100
	size := header + (len(m.To)+len(m.Cc))*perAddress + bodySize(m.Text) + bodySize(m.HTML)
	for _, a := range m.Attachments {
		size += perPart + base64.StdEncoding.EncodedLen(len(a.Content))*(transfer.LineLen+2)/transfer.LineLen
	}
	return size
}

// bodySize is about the size of an encoded body. Of a large one it is never too small: to
// grow is to have it in memory twice.
func bodySize(text string) int {
	const large = 64 << 10
	if len(text) < large {
		return len(text) * 9 / 8
	}
	return int(transfer.TextLen(text))
}
