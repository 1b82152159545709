package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
)

func (c *cli) reschedule() *cobra.Command {
	return whose(&cobra.Command{
		Use:   "reschedule ID TIME",
		Short: "Put a mail that waits off to another time",
		Long: `Put a mail that waits off to another time, or bring it forward. TIME is a time (RFC 3339) or a delay from now.
What else keeps the mail waiting, a parked account for example, may keep it longer.`,
		Example: `  rohrpost reschedule invoice-4711 +2h
  rohrpost reschedule invoice-4711 2026-01-31T08:00:00+01:00`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := parseTime(args[1])
			if err != nil {
				return err
			}
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if err := of(cmd, mail).Reschedule(cmd.Context(), args[0], at); err != nil {
				return err
			}
			return c.printMail(args[0], "waits until "+localTime(at), rohrpost.Scheduled)
		},
	})
}

// parseTime reads the TIME of a command line.
func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := time.ParseDuration(text) // with or without a plus sign
	if err != nil {
		return time.Time{}, &usageError{fmt.Errorf("TIME %q: neither a time as 2026-01-31T08:00:00+01:00 nor a delay as +90m", text)}
	}
	return time.Now().Add(d), nil
}
