// Package outgoing writes a mail as it leaves through an account: composed of a message,
// or edited where the application has written it whole, and signed. Workers send what it
// writes, and a preview shows it.
package outgoing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/idn"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/rawmail"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
	"github.com/rohrpost/rohrpost/resolver"
)

// Options of all mails. The zero value is the default.
type Options struct {
	MessageIDDomain string        // of a Message-ID that is pending; empty: the sender's
	Signers         *dkim.Signers // sign mails by their senders' domains; nil: nobody does
}

// Input is a mail and what is decided about it.
type Input struct {
	Message   *rohrpost.Message // with its contents
	MessageID string            // payload.PendingMessageID until it is decided
	Date      time.Time
	Sender    *resolver.Sender
	Warn      func(err error) // told what the mail lacks when it leaves all the same
}

// Write is the mail, without Recipients and JobID, and the Message-ID with which it
// leaves. Its time grows with its size. The error is that of ctx, or permanent: the same
// input fails again.
func (o *Options) Write(ctx context.Context, in Input) (mail transport.Mail, messageID string, err error) {
	mail.ReversePath = in.Sender.ReversePath
	messageID = payload.Decide(in.MessageID, cmp.Or(o.MessageIDDomain, idn.Name(in.Sender.From.Address)))
	if len(in.Message.Raw) > 0 {
		messageID, err = edit(ctx, &in, messageID, &mail)
	} else {
		mail.Body, mail.UTF8, err = compose.Both(ctx, compose.Input{
			Message: in.Message, MessageID: messageID, Date: in.Date, From: in.Sender.From, ReplyTo: in.Sender.ReplyTo,
			Branding:  compose.Look(in.Sender.Branding),
			Unbranded: func(why error) { in.Warn(fmt.Errorf("the mail goes without its tenant's look: %w", why)) },
		})
	}
	if err == nil {
		err = o.sign(&in, &mail)
	}
	return mail, messageID, err
}

// edit makes a message ready that the application has written itself. One with a
// Message-ID keeps it.
func edit(ctx context.Context, in *Input, pending string, mail *transport.Mail) (messageID string, err error) {
	info, err := rawmail.Parse(in.Message.Raw)
	if err != nil {
		return "", err
	}
	messageID = cmp.Or(info.MessageID, pending)
	body, err := rawmail.Edit(ctx, in.Message.Raw, rawmail.Options{From: in.Sender.From, MessageID: messageID, Date: in.Date})
	if info.SMTPUTF8 || !idn.ASCII(in.Sender.From.Address) {
		mail.UTF8 = body
	} else {
		mail.Body = body
	}
	return messageID, err
}

// sign signs the mail if it leaves by SMTP through an account of the operator's, and its
// sender's domain has keys. What tenants have entered sends to servers of theirs: those
// need no signature of ours.
func (o *Options) sign(in *Input, mail *transport.Mail) error {
	account := in.Sender.Account
	_, domain, _ := strings.Cut(in.Sender.From.Address, "@")
	keys := o.Signers.For(domain)
	if len(keys) == 0 || account.Transport() != resolver.ViaSMTP || account.Level != resolver.Platform && !account.Trusted {
		return nil
	}
	for _, form := range []*[]byte{&mail.Body, &mail.UTF8} {
		if *form == nil {
			continue
		}
		signed, err := dkim.Sign(*form, keys)
		switch {
		case errors.Is(err, dkim.ErrMessage): // it was accepted, and leaves
			in.Warn(fmt.Errorf("the mail leaves without a DKIM signature: %w", err))
			continue
		case err != nil:
			return fmt.Errorf("sign: %w", err)
		}
		*form = signed
	}
	return nil
}
