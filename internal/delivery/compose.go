package delivery

import (
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/rawmail"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
	"github.com/rohrpost/rohrpost/resolver"
)

// compose writes the mail as it leaves through the sender's account, and signs it. The
// failure is what keeps it from leaving.
func (a *attempt) compose(ctx context.Context, m *rohrpost.Message) (transport.Mail, *failure.Failure) {
	mail := transport.Mail{JobID: a.job.ID, ReversePath: a.sender.ReversePath}
	var err error
	if len(m.Raw) > 0 {
		err = a.edit(ctx, m.Raw, &mail)
	} else {
		a.job.MessageID = a.messageID()
		mail.Body, mail.UTF8, err = compose.Both(ctx, compose.Input{
			Message: m, MessageID: a.job.MessageID, Date: a.date(), From: a.sender.From, ReplyTo: a.sender.ReplyTo,
			Branding: compose.Look(a.sender.Branding),
			Unbranded: func(why error) {
				a.log().Warn().Err(why).Msg("the mail goes without its tenant's look")
			},
		})
	}
	if err == nil {
		err = a.sign(&mail)
	}
	switch {
	case err == nil:
		return mail, nil
	case ctx.Err() != nil:
		return mail, unwritten(ctx.Err())
	}
	return mail, local(failure.ErrMalformed, err.Error())
}

// edit makes a message ready that the application has written itself.
func (a *attempt) edit(ctx context.Context, raw []byte, mail *transport.Mail) error {
	info, err := rawmail.Parse(raw)
	if err != nil {
		return err
	}
	if a.job.MessageID = info.MessageID; info.MessageID == "" {
		a.job.MessageID = a.messageID()
	}
	body, err := rawmail.Edit(ctx, raw, rawmail.Options{From: a.sender.From, MessageID: a.job.MessageID, Date: a.date()})
	if info.SMTPUTF8 {
		mail.UTF8 = body
		return err
	}
	mail.Body = body
	return err
}

// sign signs the mail if it leaves by SMTP through an account of the operator's, and its
// sender's domain has keys. What tenants have entered sends to servers of theirs: those
// need no signature of ours.
func (a *attempt) sign(mail *transport.Mail) error {
	account := a.sender.Account
	keys := a.w.opts.Signers.For(domain(a.sender.From.Address))
	if len(keys) == 0 || account.Transport() != resolver.ViaSMTP || account.Level != resolver.Platform && !account.Trusted {
		return nil
	}
	for _, form := range []*[]byte{&mail.Body, &mail.UTF8} {
		if *form == nil {
			continue
		}
		signed, err := dkim.Sign(*form, keys)
		if err != nil && !errors.Is(err, dkim.ErrMessage) {
			return fmt.Errorf("sign: %w", err)
		}
		if err != nil { // it was accepted, and leaves: unsigned
			a.log().Warn().Err(err).Msg("the mail leaves without a DKIM signature")
			continue
		}
		*form = signed
	}
	return nil
}
