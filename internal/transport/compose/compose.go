package compose

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

// ErrMessage is the identity of every refusal. The message names the field.
var ErrMessage = errors.New("cannot be composed")

// Input is a message and what the worker has decided about it.
type Input struct {
	Message   *rohrpost.Message // Text, HTML and the Content of attachments are filled; its From and ReplyTo are not used
	MessageID string            // with angle brackets
	Date      time.Time
	From      rohrpost.Address
	ReplyTo   []rohrpost.Address // may be empty
	Branding  *branding.Look     // around HTML; may be nil
	Unbranded func(why error)    // told when the HTML goes without its look; may be nil
}

// Compose writes the mail, in a time that grows with its size and no faster. The
// error is that of ctx, looked at every few milliseconds; or it is ErrMessage,
// wrapped, and permanent: the same input fails again. Apart from the boundaries of
// a multipart mail, the same input gives the same bytes.
func Compose(ctx context.Context, in Input) ([]byte, error) {
	wrapped, err := in.Branding.Wrap(in.Message)
	if err != nil && in.Unbranded != nil {
		in.Unbranded(err)
	}
	in.Message = wrapped
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := setHeader(msg, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	out := &mailText{b: make([]byte, 0, sizeOf(in.Message))}
	setText(ctx, msg, out, in.Message)
	if err := setFiles(ctx, msg, out, in.Message.Attachments); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	_, err = msg.WriteTo(out)
	if ctx.Err() != nil {
		return nil, ctx.Err() // the mail is unfinished
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if !shortLines(out.b) {
		return nil, fmt.Errorf("%w: a header has a word of more than %d octets", ErrMessage, maxLine)
	}
	return out.b, nil
}

// sizeOf is enough for most mails, so that the result grows at most once.
func sizeOf(m *rohrpost.Message) int {
	const header, perPart, perAddress = 1024, 512, 80
	size := header + (len(m.To)+len(m.Cc))*perAddress + encodedLen(m.Text) + encodedLen(m.HTML)
	for _, a := range m.Attachments {
		size += perPart + base64.StdEncoding.EncodedLen(len(a.Content))*(base64Line+2)/base64Line
	}
	return size
}

func setHeader(msg *gomail.Msg, in *Input) error {
	m := in.Message
	if err := checkMessageID(in.MessageID); err != nil {
		return err
	}
	if in.Date.IsZero() {
		return errors.New("date: missing")
	}
	msg.SetGenHeader(gomail.HeaderMessageID, in.MessageID)
	msg.SetDateWithValue(in.Date)
	subject, err := headerValue(m.Subject)
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if subject != "" {
		msg.SetGenHeader(gomail.HeaderSubject, subject)
	}
	if m.Origin != rohrpost.Manual {
		msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5
	}
	if err := setCustom(msg, m.Headers); err != nil {
		return err
	}
	for _, field := range []struct {
		name gomail.AddrHeader
		list []rohrpost.Address
	}{
		{gomail.HeaderFrom, []rohrpost.Address{in.From}},
		{gomail.HeaderTo, m.To},
		{gomail.HeaderCc, m.Cc},
		{gomail.HeaderReplyTo, in.ReplyTo},
	} {
		if len(field.list) == 0 {
			continue
		}
		list, err := mailboxes(field.list)
		if err != nil {
			return fmt.Errorf("%s: %w", field.name, err)
		}
		msg.SetAddrHeaderFromMailAddress(field.name, list...)
	}
	if len(m.To) == 0 && len(m.Cc) == 0 {
		msg.SetGenHeader(gomail.Header(gomail.HeaderTo), "undisclosed-recipients:;")
	}
	return nil
}

func mailboxes(list []rohrpost.Address) ([]*mail.Address, error) {
	out := make([]*mail.Address, len(list))
	for i, a := range list {
		address, err := mailbox(a)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = address
	}
	return out, nil
}
