package main

import "github.com/spf13/cobra"

func (c *cli) cancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID",
		Short: "Stop a mail that has not left yet",
		Long:  "Stop a mail that has not left yet. Recipients who have it already keep it; those who wait get nothing.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if err := mail.Cancel(cmd.Context(), args[0]); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]string{"id": args[0], "state": "canceled"})
			}
			return c.printf("%s canceled\n", args[0])
		},
	}
}
