package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

func (c *cli) queue() *cobra.Command {
	cmd := &cobra.Command{Use: "queue", Short: "Look after the mails in Redis", Args: cobra.NoArgs}
	cmd.AddCommand(c.queueCheck(), c.queueHistory())
	return cmd
}

func (c *cli) queueCheck() *cobra.Command {
	var repair bool
	var pause time.Duration
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look whether every accepted mail is in exactly one place",
		Long: `Compare the ledger, the queues, the backlogs of accounts and the attachments, and print what does not fit, with what
to do. Workers and applications may run meanwhile: what is suspect is looked at twice, with a pause between.

A mail that is not where it should be and was touched less than 2 minutes ago is in doubt: it may be on its way there,
and a later check tells.

The exit code is 1 if a mail is lost, stuck or could be sent twice, and was not repaired; else 3 if mails are in doubt.
With --json, each finding is a line, and the last line is the summary.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rdb, cfg, err := c.redis(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { _ = rdb.Close() }()
			line, done := c.progress()
			defer done()
			looked := 0
			i, err := reconcile.New(reconcile.Options{Redis: rdb, Keep: cfg.Ledger.Keep, Pause: pause, Looked: func(n int) {
				looked += n
				line.Show("%s looked at", count(looked, "key"))
			}})
			if err != nil {
				return err
			}
			if !repair {
				_, err = c.check(cmd.Context(), i, false)
				return err
			}
			return c.audited(cmd.Context(), rdb, audit.Record{Action: audit.Repair}, func() (int, error) {
				return c.check(cmd.Context(), i, true)
			})
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "mend what can be mended without a question")
	cmd.Flags().DurationVar(&pause, "pause", 2*time.Second, "between the two looks at what is suspect")
	return cmd
}

// A finding is one of the inventory's, and whether it was repaired.
type finding struct {
	reconcile.Finding
	Repaired bool `json:"repaired,omitempty"`
}

// A tally is the summary of a check and what became of its findings.
type tally struct {
	reconcile.Summary
	Repaired int `json:"repaired"`
	Remain   int `json:"remain"` // findings that are not harmless and were not repaired
}

// check prints what is found, and repairs it if that is asked for. It answers how
// much it has repaired.
func (c *cli) check(ctx context.Context, i *reconcile.Reconciler, repair bool) (int, error) {
	var t tally
	sum, err := i.Check(ctx, func(found reconcile.Finding) error {
		f := finding{Finding: found}
		if repair && f.Repairable {
			if err := i.Repair(ctx, f.Finding); err != nil {
				return err
			}
			f.Repaired = true
			t.Repaired++
		}
		if !f.Repaired && !f.Harmless && f.Kind != reconcile.InDoubt {
			t.Remain++
		}
		if c.json {
			return c.printJSON(f)
		}
		return c.printFinding(f)
	})
	if err != nil {
		return t.Repaired, err
	}
	t.Summary = sum
	if c.json {
		err = c.printJSON(t)
	} else {
		err = c.printTally(t)
	}
	switch {
	case err != nil:
	case t.Remain == 1:
		err = errors.New("1 finding remains")
	case t.Remain > 1:
		err = fmt.Errorf("%s remain", count(t.Remain, "finding"))
	case t.InDoubt > 0:
		err = &doubtError{t.InDoubt}
	}
	return t.Repaired, err
}

// printFinding prints what it is about, what is wrong, and what to do.
func (c *cli) printFinding(f finding) error {
	var about []string
	if f.JobID != "" {
		about = append(about, tenantName(f.Tenant), f.JobID)
	}
	if f.Queue != "" {
		about = append(about, "queue "+f.Queue)
	}
	if f.Account != "" {
		about = append(about, "account "+f.Account)
	}
	if f.State != "" {
		about = append(about, string(f.State))
	}
	if len(f.Where) > 0 {
		about = append(about, "task in "+strings.Join(f.Where, ", "))
	}
	remedy := f.Remedy
	if f.Repaired {
		remedy = "repaired"
	}
	return c.printf("%s  %s\n    %s\n    → %s\n", kindName(f.Kind), strings.Join(about, "  "), f.Detail, remedy)
}

func (c *cli) printTally(t tally) error {
	text := count(t.OnTheWay, "mail") + " on the way"
	switch {
	case t.Wrong > 0:
		text += "; not in order: " + kinds(t.Findings)
	case t.InDoubt >= t.OnTheWay && t.InDoubt > 0:
		text += ", in doubt"
	case t.InDoubt > 0:
		text += fmt.Sprintf("; in doubt: %d; the others in exactly one place", t.InDoubt)
	case t.OnTheWay == 1:
		text += ", in exactly one place"
	default:
		text += ", each in exactly one place"
	}
	if t.Wrong == 0 && t.Harmless > 0 {
		text += "; harmless: " + kinds(t.Findings)
	}
	if t.Repaired > 0 {
		text += fmt.Sprintf("; repaired: %d", t.Repaired)
	}
	return c.printf("%s\n", text)
}

// kinds counts findings in words.
func kinds(findings map[reconcile.Kind]int) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(findings)) {
		list = append(list, fmt.Sprintf("%d %s", findings[kind], kindName(kind)))
	}
	return strings.Join(list, ", ")
}

func kindName(kind reconcile.Kind) string { return strings.ReplaceAll(string(kind), "_", " ") }

// count is a number of things, as "1,204 mails".
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return message.NewPrinter(language.English).Sprintf("%d %s", n, thing)
}
