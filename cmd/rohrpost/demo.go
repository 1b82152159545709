package main

import (
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/demo"
)

func (c *cli) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show the whole way of five mails, with nothing installed",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return demo.Run(cmd.Context(), c.out, version) },
	}
}
