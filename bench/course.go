package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
)

// A course is what all senders of a row have to do.
type course struct {
	mails, connections int
	server             string // host:port
	tls                bool   // by STARTTLS
	// attachment is that of the n-th mail. Nil: there is none.
	attachment func(n int) []byte
}

// A way is one sender on a course.
type way struct {
	name string
	// reference is the name under which the others are compared with it; empty: they
	// are not.
	reference string
	run       func(context.Context, course) (time.Duration, error)
}

func (e *environment) theLimit() way {
	return way{"smtp-source, connections kept", "smtp-source", e.smtpSource}
}

func (e *environment) theBarePool() way {
	return way{"go-mail pool, no queue, no guarantee", "the bare pool", e.barePool}
}

func (e *environment) theWorker() way {
	return way{name: "rohrpost from a filled queue", run: e.drain}
}

// compare sends each way over the course in turn, so that a slow phase of the machine
// hits all of them, and prints the medians.
func (e *environment) compare(ctx context.Context, title string, c course, ways ...way) error {
	rates := make([][]float64, len(ways))
	for range e.rounds {
		for i, w := range ways {
			debug.SetGCPercent(100) // as any program has it; a worker sets its own
			took, err := w.run(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			rates[i] = append(rates[i], float64(c.mails)/took.Seconds())
		}
	}
	fmt.Printf("%-44s  %8s", title, "mails/s")
	for _, w := range ways {
		if w.reference != "" {
			fmt.Printf("  %18s", "of "+w.reference)
		}
	}
	fmt.Println()
	for i, w := range ways {
		rate := median(rates[i])
		fmt.Printf("  %-42s  %8s", w.name, perSecond(rate))
		for j, reference := range ways[:i+1] {
			if reference.reference != "" {
				fmt.Printf("  %18.2f", rate/median(rates[j]))
			}
		}
		fmt.Println()
		e.figures.rate(title+": "+w.name, rate)
	}
	fmt.Println()
	return nil
}

// fourKB is the text of a mail.
func fourKB() string {
	return strings.Repeat("Sehr geehrte Damen und Herren, anbei erhalten Sie Ihre Rechnung.\r\n", 62)
}

// message is the n-th mail of a course.
func (c *course) message(n int) rohrpost.Message {
	m := message()
	if c.attachment != nil {
		m.Attachments = []rohrpost.Attachment{{Name: attachmentName, Content: c.attachment(n)}}
	}
	return m
}

func message() rohrpost.Message {
	return rohrpost.Message{
		Tenant: "acme", To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Ihre Rechnung", Text: fourKB(),
	}
}
