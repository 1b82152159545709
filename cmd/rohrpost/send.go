package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

func (c *cli) send() *cobra.Command {
	var form messageForm
	batch, dry := false, false
	cmd := &cobra.Command{
		Use:   "send",
		Short: "Enqueue a mail, from flags or as JSON from standard input",
		Long: `Enqueue a mail.

With --to, --cc or --bcc the mail comes from the flags. Without them one message is read as JSON from
standard input; with --batch one message a line, answered by one receipt a line. With --raw a whole mail
(RFC 5322) is read there, and goes to its own To, Cc and Bcc unless the flags name others.`,
		Example: `  rohrpost send --tenant acme --to kunde@example.org --subject "Ihre Rechnung" --text "…" --attach R-1.pdf
  echo '{"to":[{"address":"kunde@example.org"}],"subject":"Hallo","text":"…"}' | rohrpost send --json
  rohrpost send --batch < mails.jsonl
  rohrpost send --tenant acme --raw < mail.eml
  rohrpost send --tenant acme --to kunde@example.org --text "…" --dry-run > preview.eml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if batch && form.used() {
				return &usageError{errors.New("--batch reads from standard input: leave --to, --cc and --bcc away")}
			}
			if batch {
				return c.sendBatch(cmd.Context())
			}
			message, err := c.oneMessage(&form)
			if err != nil {
				return err
			}
			if dry {
				return c.preview(cmd.Context(), message)
			}
			mail, done, err := c.producer(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			receipt, err := mail.Send(cmd.Context(), message)
			if err != nil {
				return err
			}
			return c.printReceipt(receipt)
		},
	}
	form.flags(cmd.Flags())
	cmd.Flags().BoolVar(&batch, "batch", false, "read one JSON message a line")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "send nothing: write the mail as it would leave, and warnings to standard error")
	cmd.MarkFlagsMutuallyExclusive("batch", "dry-run")
	cmd.MarkFlagsMutuallyExclusive("batch", "raw")
	return cmd
}

func (c *cli) oneMessage(form *messageForm) (rohrpost.Message, error) {
	if form.raw {
		return form.rawMessage(c.in)
	}
	if form.used() {
		return form.message()
	}
	var message rohrpost.Message
	text, err := io.ReadAll(plainText(c.in))
	if err != nil {
		return message, fmt.Errorf("standard input: %w", err)
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return message, fmt.Errorf("message on standard input: %w", err)
	}
	return message, nil
}

func (c *cli) printReceipt(r rohrpost.Receipt) error {
	if r.Warning != "" && !c.json {
		if err := c.printf("warning: %s\n", r.Warning); err != nil {
			return err
		}
	}
	switch {
	case c.json:
		return c.printJSON(r)
	case r.Duplicate:
		return c.printf("%s known already: not sent again\n", r.ID)
	}
	return c.printf("%s queued\n", r.ID)
}

// batchSize is how many messages travel in one pipeline.
const batchSize = 1000

// maxLine is the longest message of a batch, attachments in base64 included.
const maxLine = 64 << 20

// sendBatch reads messages line by line and answers each with a receipt, or
// with {"line", "error"}. A line that cannot be sent does not stop the others.
func (c *cli) sendBatch(ctx context.Context) error {
	mail, done, err := c.producer(ctx)
	if err != nil {
		return err
	}
	defer done()
	b := batch{cli: c, mail: mail}
	lines := bufio.NewScanner(plainText(c.in))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var message rohrpost.Message
		err := json.Unmarshal(lines.Bytes(), &message)
		b.add(number, message, err)
		if len(b.rows) == batchSize {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(b.flush(ctx), lines.Err()); err != nil {
		return err
	}
	if b.refused > 0 {
		return fmt.Errorf("%d messages were not accepted", b.refused)
	}
	return nil
}

// batch collects messages for one SendBatch, in the order of their lines.
type batch struct {
	cli      *cli
	mail     *producer.Client
	rows     []row
	messages []rohrpost.Message
	refused  int
}

type row struct {
	line int
	err  error // the line is no message
}

func (b *batch) add(line int, m rohrpost.Message, err error) {
	b.rows = append(b.rows, row{line, err})
	if err == nil {
		b.messages = append(b.messages, m)
	}
}

func (b *batch) flush(ctx context.Context) error {
	results, _ := b.mail.SendBatch(ctx, b.messages) // each result has its error
	next := 0
	for _, r := range b.rows {
		var receipt rohrpost.Receipt
		err := r.err
		if err == nil {
			receipt, err = results[next].Receipt, results[next].Err
			next++
		}
		if err != nil {
			b.refused++
			err = b.cli.printJSON(map[string]any{"line": r.line, "error": err.Error()})
		} else {
			err = b.cli.printJSON(receipt)
		}
		if err != nil {
			return err
		}
	}
	b.rows, b.messages = b.rows[:0], b.messages[:0]
	return nil
}
