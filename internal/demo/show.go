package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/producer"
)

// show prints the demo. The first write error ends it.
type show struct {
	out   io.Writer
	begun time.Time
	err   error
}

func (s *show) line(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.out, format+"\n", args...)
	}
}

func (s *show) title(text string) { s.line("\n%s", text) }

func (s *show) opening(stack *Stack) {
	s.line("rohrpost demo: the way of five mails. Nothing leaves this machine.")
	s.line("")
	s.line("  Redis     in memory, at %s", stack.Redis.Addr())
	s.line("  SMTP      a server that catches everything, at %s", stack.Mails.Addr())
	s.line("  Accounts  platform noreply@platform.example, tenant info@acme.example, user max@acme.example")
	s.line("  Backoff   1 s, 1.5 s … (in production 1 min, 2 min … up to 2 h)")
	s.title("An application enqueues")
}

func (s *show) enqueue(ctx context.Context, mail *producer.Client, sc *scene) error {
	receipt, err := mail.Send(ctx, sc.message)
	if err != nil {
		return err
	}
	s.line("  %-9s %s → %s\n            %s", receipt.ID, sc.message.Subject, recipients(&sc.message), sc.about)
	return nil
}

// change prints the new state of a mail, and each recipient's reply.
func (s *show) change(st rohrpost.Status) {
	text := fmt.Sprintf("  %4.1f s  %-9s %s", time.Since(s.begun).Seconds(), st.ID, st.State)
	if st.NextAttempt != nil {
		text += " until " + st.NextAttempt.Local().Format("15:04:05")
	}
	if st.State.Final() && st.Account != "" {
		text += " through " + st.Account
	}
	s.line("%s", text)
	if st.Attempts == 0 {
		return
	}
	for _, r := range st.Recipients {
		s.line("                    %-9s %s  %s", r.State, r.Address, reply(r))
	}
}

// reply is the server's answer; its text has the enhanced code in front already.
func reply(r rohrpost.RecipientStatus) string { return fmt.Sprintf("%d %s", r.Code, r.Diagnostic) }

// entry prints one entry of the error log: what happened, who must do what.
func (s *show) entry(e errorlog.Entry) {
	next := "final"
	if !e.Final {
		next = "tried again at " + e.NextAttempt.Local().Format("15:04:05")
	}
	s.line("  %s  %-9s attempt %d  %s (%d %s), %s", e.Time.Local().Format("15:04:05"), e.JobID, e.Attempt, e.Category, e.Code, e.Enhanced, next)
	s.line("            %s", e.Hint("en"))
	s.line("            %s", e.Hint("de"))
}
