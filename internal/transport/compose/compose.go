package compose

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
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
	content, err := contentOf(ctx, in.Message, own)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	b, err := appendHeader(make([]byte, 0, headerRoom(in.Message)+content.room()), &in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if b, err = content.append(ctx, b); err != nil {
		return nil, err
	}
	return b, nil
}

// headerRoom is enough for most headers.
func headerRoom(m *rohrpost.Message) int64 {
	const header, perAddress = 2048, 100
	return int64(header + (len(m.To)+len(m.Cc))*perAddress)
}
