package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
)

func (c *cli) status() *cobra.Command {
	return whose(&cobra.Command{
		Use:   "status ID",
		Short: "Show what has become of a mail",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			st, err := of(cmd, mail).Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(st)
			}
			return errors.Join(printStatus(c.out, st, time.Local), printHistory(c.out, st.History, time.Local))
		},
	})
}

func printStatus(out io.Writer, st rohrpost.Status, zone *time.Location) error {
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
	row("enqueued", "%s", timeIn(zone, st.EnqueuedAt))
	if st.NextAttempt != nil {
		row("next attempt", "%s", timeIn(zone, *st.NextAttempt))
	}
	if st.Account != "" {
		row("account", "%s: %s", st.Account, st.Why)
	}
	for _, r := range st.Recipients {
		row("recipient", "%s\t%s\t%s", r.Address, r.State, cmp.Or(replyText(r.Code, r.Diagnostic), "-"))
	}
	for _, k := range slices.Sorted(maps.Keys(st.Metadata)) {
		row("metadata", "%s = %s", k, st.Metadata[k])
	}
	return w.Flush()
}

// printHistory writes the events as a table, oldest first. Why an account was used
// stands below the events that it explains.
func printHistory(out io.Writer, events []rohrpost.Event, zone *time.Location) error {
	if len(events) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\nTIME\tATTEMPT\tSTATE\tACCOUNT\tSERVER\tREPLY")
	why := ""
	for _, e := range events {
		what := cmp.Or(e.By, "-")
		if e.Attempt > 0 {
			what = strconv.Itoa(e.Attempt)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", timeIn(zone, e.Time), what, e.State,
			cmp.Or(e.Account, "-"), cmp.Or(e.Host, "-"), cmp.Or(eventText(e, zone), "-"))
		if e.Why != "" && e.Why != why {
			why = e.Why
			_, _ = fmt.Fprintf(w, "\t\t\t(%s)\n", why)
		}
	}
	return w.Flush()
}

// eventText is the reply and what was made of it.
func eventText(e rohrpost.Event, zone *time.Location) string {
	var parts []string
	if reply := replyText(e.Code, e.Diagnostic); reply != "" {
		parts = append(parts, reply)
	}
	if e.Category != "" {
		parts = append(parts, "("+strings.TrimPrefix(e.Stage+": ", ": ")+e.Category+")")
	}
	if !e.NextAttempt.IsZero() {
		parts = append(parts, "→ "+timeIn(zone, e.NextAttempt))
	}
	return strings.Join(parts, " ")
}

// replyText is the server's answer; its text has the enhanced code in front.
func replyText(code int, text string) string {
	if code == 0 {
		return text
	}
	return fmt.Sprintf("%d %s", code, text)
}

func localTime(t time.Time) string { return timeIn(time.Local, t) }

func timeIn(zone *time.Location, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}
