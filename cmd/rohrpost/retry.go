package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

func (c *cli) retry() *cobra.Command {
	var filter producer.RetryFilter
	cmd := &cobra.Command{
		Use:   "retry [ID…]",
		Short: "Send mails again that have failed, to those who have not got them",
		Long: `Send mails again, to those recipients only who have not got them.

With IDs: mails that have failed (in part, too), have expired or are uncertain; mails that wait are tried at once.
--tenant says whose they are, if several tenants have mails of these ids.
With --tenant, --account or --category: all mails that have failed, have expired or are uncertain, and match.`,
		Example: `  rohrpost retry invoice-4711
  rohrpost retry --tenant acme --category auth_failed --dry-run`,
		PreRunE: func(_ *cobra.Command, ids []string) error {
			switch {
			case len(ids) > 0 && (filter.Account != "" || filter.Category != "" || filter.DryRun):
				return &usageError{errors.New("name either mails, or what they have in common")}
			case len(ids) == 0 && filter.Check() != nil:
				return &usageError{errors.New("name mails, a --tenant, an --account or a --category")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, ids []string) error {
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if len(ids) > 0 {
				return c.each(ids, "sent on its way again", rohrpost.Queued, func(id string) error { return of(cmd, mail).Retry(cmd.Context(), id) })
			}
			again, err := mail.RetryAll(cmd.Context(), filter)
			return errors.Join(c.printRetried(again, filter.DryRun), err)
		},
	}
	f := cmd.Flags()
	f.StringVar(&filter.Tenant, tenantFlag, "", "mails of this tenant")
	f.StringVar(&filter.Account, "account", "", "mails whose last attempt used this account, as tenant/acme")
	f.StringVar(&filter.Category, "category", "", "mails whose last failure is of this category, as auth_failed, or expired")
	f.BoolVar(&filter.DryRun, "dry-run", false, "only say which")
	return cmd
}

// printRetried lists the mails that a filter has picked.
func (c *cli) printRetried(ids []string, dry bool) error {
	for _, id := range ids {
		var err error
		switch {
		case dry && c.json:
			err = c.printJSON(map[string]any{"id": id, "dry_run": true})
		case dry:
			err = c.printf("%s\n", id)
		default:
			err = c.printMail(id, "sent on its way again", rohrpost.Queued)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case c.json:
		return nil
	case dry:
		return c.printf("%d mails would be sent again\n", len(ids))
	}
	return c.printf("%d mails sent on their way again\n", len(ids))
}
