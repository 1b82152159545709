package main

import (
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
)

func (c *cli) cancel() *cobra.Command {
	return whose(&cobra.Command{
		Use:   "cancel ID…",
		Short: "Stop a mail that has not left yet",
		Long: `Stop mails that have not left yet, and give up those that are held as uncertain. Recipients who have a
mail already keep it; those who wait get nothing.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			return c.each(args, "canceled", rohrpost.Canceled, func(id string) error { return of(cmd, mail).Cancel(cmd.Context(), id) })
		},
	})
}
