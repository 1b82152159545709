package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/idn"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/rawmail"
	"github.com/rohrpost/rohrpost/resolver"
)

// preview writes the mail as it would leave, and to standard error what speaks against
// it and through whose account. Nothing is enqueued.
func (c *cli) preview(ctx context.Context, m rohrpost.Message) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	rdb, err := c.openRedis(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = rdb.Close() }()
	mail, err := app.NewProducer(cfg, rdb)
	if err != nil {
		return err
	}
	receipt, err := mail.Check(m)
	if err != nil {
		return err
	}
	c.warn(receipt.Warning)
	options, err := app.OutgoingOptions(cfg)
	if err != nil {
		return err
	}
	return c.withAccounts(ctx, func(ctx context.Context, service *accounts.Service) error {
		return c.writePreview(ctx, service, &options, &m)
	})
}

func (c *cli) writePreview(ctx context.Context, service *accounts.Service, options *outgoing.Options, m *rohrpost.Message) error {
	if info, err := rawmail.Parse(m.Raw); len(m.Raw) > 0 && err == nil {
		m.From = info.From
	}
	sender, err := service.Sender(ctx, c.operator(), resolver.Request{
		Tenant: m.Tenant, User: m.User, Origin: m.Origin, Category: m.Category, From: m.From, ReplyTo: m.ReplyTo,
	})
	if err != nil {
		return err
	}
	for _, w := range sender.Account.Warnings() {
		c.warn(w)
	}
	for _, address := range m.Recipients() {
		switch _, needsUTF8, err := idn.Address(address); {
		case err != nil:
			c.warn(address + " gets nothing: its domain cannot be written in ASCII (A-labels)")
		case needsUTF8:
			c.warn(address + " gets it only through a server with SMTPUTF8, and is not in the header for others")
		}
	}
	m.Headers = append(m.Headers, m.Unsubscribe.Fields()...)
	written, _, err := options.Write(ctx, outgoing.Input{
		Message: m, MessageID: payload.PendingMessageID("preview"), Date: time.Now(), Sender: &sender,
		Warn: func(err error) { c.warn(err.Error()) },
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(c.err, "rohrpost: would leave through %s: %s\n", sender.Account.ID(), sender.Why)
	body := written.Body
	if body == nil {
		c.warn("the sender's address needs a server with SMTPUTF8")
		body = written.UTF8
	}
	_, err = c.out.Write(body)
	return err
}

func (c *cli) warn(text string) {
	if text != "" {
		_, _ = fmt.Fprintln(c.err, "rohrpost: warning:", text)
	}
}
