package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
)

func (c *cli) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status ID",
		Short: "Show what has become of a mail",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			st, err := mail.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(st)
			}
			return printStatus(c.out, st)
		},
	}
}

func printStatus(out io.Writer, st rohrpost.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	row("id", "%s", st.ID)
	row("message-id", "%s", st.MessageID)
	if st.Tenant != "" {
		row("tenant", "%s", st.Tenant)
	}
	state := string(st.State)
	if st.MaybeTwice {
		state += " (may have arrived twice: an earlier attempt ended without an answer)"
	}
	row("state", "%s", state)
	row("attempts", "%d", st.Attempts)
	row("enqueued", "%s", localTime(st.EnqueuedAt))
	if st.NextAttempt != nil {
		row("next attempt", "%s", localTime(*st.NextAttempt))
	}
	if st.Account != "" {
		row("account", "%s: %s", st.Account, st.Why)
	}
	for _, r := range st.Recipients {
		row("recipient", "%s\t%s\t%s", r.Address, r.State, replyText(r))
	}
	for k, v := range st.Metadata {
		row("metadata", "%s = %s", k, v)
	}
	return w.Flush()
}

// replyText is the server's answer; its text has the enhanced code in front.
func replyText(r rohrpost.RecipientStatus) string {
	if r.Code == 0 {
		return r.Diagnostic
	}
	return fmt.Sprintf("%d %s", r.Code, r.Diagnostic)
}

func localTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}
