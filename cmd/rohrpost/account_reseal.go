package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/accounts"
)

func (c *cli) accountReseal() *cobra.Command {
	return &cobra.Command{
		Use:   "reseal",
		Short: "Seal every stored secret for today's keys and for its server",
		Long: `Seal every stored secret for today's keys and for its server.

To change keys without a failed mail: make one (rohrpost keygen), add its identity beside the old one for all
workers (secrets.identity_file) and restart them, name its recipient in secrets.recipients, run this, then
remove the old identity. The order matters: a worker that holds the old key alone cannot read what another has
sealed for the new one alone.

Secrets that a version before has sealed are bound to the server and login they stand at. Run this when all
workers are of this version, and set secrets.require_bound: true after it.

Of accounts in a file it is the refresh tokens, which stand in Redis.`,
		Args: cobra.NoArgs,
		RunE: c.onAccounts(func(ctx context.Context, service *accounts.Service) error {
			line, done := c.progress()
			defer done()
			n, err := service.Reseal(ctx, c.operator(), func(secrets int) { line.Show("%s looked at", count(secrets, "secret")) })
			return errors.Join(c.printResealed(&n), err)
		}),
	}
}

func (c *cli) printResealed(n *accounts.Resealed) error {
	if c.json {
		return c.printJSON(n)
	}
	err := c.printf("%d secrets, %d of them sealed anew; %d refresh tokens renewed\n", n.Secrets, n.Done, n.Tokens)
	if n.Missed > 0 {
		err = errors.Join(err, c.printf("%d refresh tokens were not renewed by their provider: see rohrpost errors, and run this again\n", n.Missed))
	}
	if n.Bound > 0 {
		err = errors.Join(err, c.printf("%d of them are bound to their server from now on; set secrets.require_bound: true, so that none from before is accepted again\n", n.Bound))
	}
	return err
}
