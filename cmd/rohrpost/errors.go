package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/errorlog"
)

func (c *cli) errors() *cobra.Command {
	cmd := &cobra.Command{Use: "errors", Short: "Read the log of failed attempts (the last 24 hours)", Args: cobra.NoArgs}
	cmd.AddCommand(c.errorsList(), c.errorsFollow(), c.errorsExport())
	return cmd
}

// selection are the flags that pick entries.
type selection struct {
	filter errorlog.Filter
	since  time.Duration
	tenant string
	lang   string
}

func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.tenant, "tenant", "", "only this tenant (default: all)")
	f.DurationVar(&s.since, "since", 0, "only the last 30m, 2h … (default: all that is kept)")
	f.StringVar(&s.filter.Category, "category", "", "only this category, as auth_failed")
	f.StringVar(&s.filter.JobID, "job", "", "only this mail")
	f.StringVar(&s.filter.Recipient, "recipient", "", "only this recipient's address")
	f.StringVar(&s.lang, "lang", "", "language of hints, en or de (default: errorlog.language)")
}

func (s *selection) build(cmd *cobra.Command) errorlog.Filter {
	f := s.filter
	f.Tenant, f.AllTenants = s.tenant, !cmd.Flags().Changed("tenant")
	if s.since > 0 {
		f.From = time.Now().Add(-s.since)
	}
	return f
}

// reading opens the log, in the language asked for, around what a command does
// with the selected entries.
func (c *cli) reading(s *selection, read func(context.Context, *errorlog.Log, errorlog.Filter) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		log, cfg, done, err := c.errorLog(cmd.Context())
		if err != nil {
			return err
		}
		defer done()
		if s.lang == "" {
			s.lang = cfg.ErrorLog.Language
		}
		return read(cmd.Context(), log, s.build(cmd))
	}
}

func (c *cli) errorsList() *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print the newest failures",
		Args:  cobra.NoArgs,
		RunE: c.reading(&s, func(ctx context.Context, log *errorlog.Log, filter errorlog.Filter) error {
			n := 0
			for entry, err := range log.Query(ctx, filter) {
				if err != nil {
					return err
				}
				if err := c.printEntry(entry, s.lang); err != nil {
					return err
				}
				n++
			}
			if n == 0 && !c.json {
				return c.printf("no failed attempts\n")
			}
			return nil
		}),
	}
	s.flags(cmd)
	cmd.Flags().IntVar(&s.filter.Limit, "limit", 50, "at most so many; 0: all")
	cmd.Flags().BoolVar(&s.filter.OldestFirst, "oldest-first", false, "oldest entry first")
	return cmd
}

func (c *cli) errorsFollow() *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:   "follow",
		Short: "Print failures as they happen, until interrupted",
		Args:  cobra.NoArgs,
		RunE: c.reading(&s, func(ctx context.Context, log *errorlog.Log, filter errorlog.Filter) error {
			for entry, err := range log.Follow(ctx, filter) {
				if ctx.Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
				if err := c.printEntry(entry, s.lang); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	s.flags(cmd)
	return cmd
}

// printEntry writes an entry as a JSON line, or as two lines for a person: what
// happened, and who must do what.
func (c *cli) printEntry(e errorlog.Entry, lang string) error {
	if c.json {
		return errorlog.Write(c.out, e, errorlog.JSONL, lang)
	}
	return printEntry(c.out, e, lang)
}

func printEntry(out io.Writer, e errorlog.Entry, lang string) error {
	what := []string{e.Category}
	if e.Code != 0 {
		what = append(what, strings.TrimSpace(fmt.Sprintf("(%d %s)", e.Code, e.Enhanced)))
	}
	next := "next attempt " + e.NextAttempt.Local().Format("15:04:05")
	switch {
	case e.Final:
		next = "final"
	case e.NextAttempt.IsZero():
		next = "waits for its account"
	}
	_, err := fmt.Fprintf(out, "%s  %s  %s  attempt %d  %s  %s  → %s\n    %s\n",
		e.Time.Local().Format("15:04:05"), tenantName(e.Tenant), e.JobID, e.Attempt, strings.Join(what, " "),
		e.ConcernedRecipients(lang), next, e.Hint(lang))
	return err
}

func tenantName(tenant string) string {
	if tenant == "" {
		return "(platform)"
	}
	return tenant
}
