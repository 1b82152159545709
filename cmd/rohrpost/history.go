package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/audit"
)

// about is the line of an act on mails.
func about(action audit.Action, ids []string) audit.Record {
	r := audit.Record{Action: action, Of: len(ids)}
	for _, id := range ids {
		r.Mails = append(r.Mails, audit.Mail{ID: id})
	}
	return r
}

// audited does what an operator asks for, between the two writings of its line. The
// act answers to how many mails it was done.
func (c *cli) audited(ctx context.Context, rdb redis.UniversalClient, r audit.Record, act func() (int, error)) error {
	log, err := audit.New(audit.Options{Redis: rdb})
	if err != nil {
		return err
	}
	r.Who, r.Source = whoami(), audit.CommandLine
	entry, err := log.Begin(ctx, r)
	if err != nil {
		return fmt.Errorf("nothing was done, since it could not be written down: %w", err)
	}
	n, err := act()
	return errors.Join(err, entry.Done(ctx, n))
}

// whoami is the user of the operating system.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}

func (c *cli) queueHistory() *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show what operators have done, on the dashboard and by commands",
		Long: `Show who has canceled, retried, put off or repaired mails, who has paused queues, and what the dashboard has refused.
The newest comes last. The latest 10,000 acts are kept. With --json, each is a line.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > audit.MaxLines {
				return &usageError{fmt.Errorf("--limit: 1 to %d", audit.MaxLines)}
			}
			rdb, _, err := c.redis(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { _ = rdb.Close() }()
			log, err := audit.New(audit.Options{Redis: rdb})
			if err != nil {
				return err
			}
			records, err := log.Latest(cmd.Context(), limit)
			if err != nil {
				return err
			}
			return c.printActs(records)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "how many at most")
	return cmd
}

func (c *cli) printActs(records []audit.Record) error {
	if c.json {
		for _, r := range records {
			if err := c.printJSON(r); err != nil {
				return err
			}
		}
		return nil
	}
	if len(records) == 0 {
		return c.printf("nobody has done anything\n")
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "TIME\tWHO\tFROM\tACT\tOUTCOME\tQUEUE\tMAILS")
	for _, r := range records {
		from := string(r.Source)
		if r.Remote != "" {
			from += " " + r.Remote
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", timeIn(time.Local, r.Time), cmp.Or(printable(r.Who), "-"), from,
			r.Action, outcome(r), cmp.Or(printable(r.Queue), "-"), cmp.Or(mailNames(r), "-"))
	}
	return w.Flush()
}

// outcome is "3 of 4", "done", "refused", or that an act has not ended.
func outcome(r audit.Record) string {
	switch {
	case r.Outcome == audit.Begun:
		return "begun; its end is not known"
	case r.Outcome == audit.Refused, r.Action == audit.Pause, r.Action == audit.Resume:
		return string(r.Outcome)
	case r.Of > 0:
		return fmt.Sprintf("%d of %d", r.Count, r.Of)
	}
	return strconv.Itoa(r.Count)
}

func mailNames(r audit.Record) string {
	var names []string
	for _, m := range r.Mails {
		name := m.ID
		if m.Tenant != "" {
			name = m.Tenant + ": " + name
		}
		names = append(names, printable(name))
	}
	if more := r.Of - len(r.Mails); more > 0 && len(names) > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// printable keeps what somebody else has chosen, an id or a name, on its line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
