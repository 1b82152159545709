package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/producer"
)

// limit is when the demo gives up: it promises to end in under 30 seconds.
const limit = 25 * time.Second

// pollEvery is how often the demo looks at the status of its mails.
const pollEvery = 50 * time.Millisecond

// Run sends five mails and prints what becomes of each. It fails when one of
// them ends otherwise than it should.
func Run(ctx context.Context, out io.Writer, version string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stack, err := StartStack(ctx, Options{
		Config: demoConfig(), SMTPAddr: "127.0.0.1:0", Version: version, Logger: zerolog.Nop(),
	})
	if err != nil {
		return err
	}
	defer stack.Stop()
	rdb, err := app.OpenRedis(stack.Config, "rohrpost-demo", 4)
	if err != nil {
		return err
	}
	defer func() { _ = rdb.Close() }()
	mail, err := producer.New(rdb, producer.Options{})
	if err != nil {
		return err
	}
	s := &show{out: out, begun: time.Now()}
	s.opening(stack)
	scenes := scenes(time.Now())
	for i := range scenes {
		if err := s.enqueue(ctx, mail, &scenes[i]); err != nil {
			return err
		}
	}
	s.title("The worker delivers")
	if err := s.watch(ctx, mail, scenes); err != nil {
		return err
	}
	if err := s.ending(ctx, stack, rdb); err != nil {
		return err
	}
	return errors.Join(s.err, verdict(scenes))
}

// A scene is one mail and how it should end.
type scene struct {
	about   string
	message rohrpost.Message
	ends    rohrpost.State

	last rohrpost.Status
}

func scenes(now time.Time) []scene {
	person := rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max@acme.example"}
	to := func(addresses ...string) (list []rohrpost.Address) {
		for _, a := range addresses {
			list = append(list, rohrpost.Address{Address: a})
		}
		return list
	}
	return []scene{{
		about: "a person sends an invoice: it leaves through that person's own account",
		ends:  rohrpost.Accepted,
		message: rohrpost.Message{
			ID: "invoice", Tenant: "acme", User: person, Origin: rohrpost.Manual, To: to("kunde@example.org"),
			Subject: "Ihre Rechnung 4711", Text: "Guten Tag,\n\nanbei Ihre Rechnung.\n",
			Attachments: []rohrpost.Attachment{{Name: "Rechnung-4711.pdf", Content: []byte("%PDF-1.4 demo")}},
		},
	}, {
		about: "two recipients, one does not exist: the other one still gets the mail",
		ends:  rohrpost.Partly,
		message: rohrpost.Message{
			ID: "circular", Tenant: "acme", To: to("kundin@example.org", "refuse@example.org"),
			Subject: "Rundschreiben", Text: "Guten Tag allerseits!\n",
		},
	}, {
		about: "the server says \"later\" twice: the mail is deferred, then accepted",
		ends:  rohrpost.Accepted,
		message: rohrpost.Message{
			ID: "code", Tenant: "acme", Priority: rohrpost.Critical, To: to("defer-2@example.org"),
			Subject: "Ihr Einmalpasswort", Text: "Ihr Code: 123456\n",
		},
	}, {
		about: "refused for good: it stands in the error log, with cause and remedy",
		ends:  rohrpost.Failed,
		message: rohrpost.Message{
			ID: "offer", Tenant: "acme", To: to("spam@example.org"),
			Subject: "Ihr Angebot", Text: "Unser Angebot.\n",
		},
	}, {
		about: "not before three seconds from now",
		ends:  rohrpost.Accepted,
		message: rohrpost.Message{
			ID: "reminder", To: to("kunde@example.org"), NotBefore: now.Add(3 * time.Second),
			Subject: "Erinnerung", Text: "Morgen um zehn.\n",
		},
	}}
}

// watch prints every change of a mail until all have ended.
func (s *show) watch(ctx context.Context, mail *producer.Client, scenes []scene) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		open := 0
		for i := range scenes {
			sc := &scenes[i]
			if sc.last.State.Final() {
				continue
			}
			st, err := mail.Status(ctx, sc.message.ID)
			if err != nil {
				return err
			}
			if !st.State.Final() {
				open++
			}
			if st.State == rohrpost.Sending {
				continue // for a moment only
			}
			if st.State != sc.last.State || st.Attempts != sc.last.Attempts {
				s.change(st)
				sc.last = st
			}
		}
		if open == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the mails did not end in time")
		case <-ticker.C:
		}
	}
}

// verdict compares the ends with the expected ones.
func verdict(scenes []scene) error {
	var errs []error
	for _, sc := range scenes {
		if sc.last.State != sc.ends {
			errs = append(errs, fmt.Errorf("%s ended %s instead of %s", sc.message.ID, sc.last.State, sc.ends))
		}
	}
	return errors.Join(errs...)
}

// ending prints the error log and writes it to a file.
func (s *show) ending(ctx context.Context, stack *Stack, rdb redis.UniversalClient) error {
	log, err := app.NewErrorLog(stack.Config, rdb)
	if err != nil {
		return err
	}
	s.title("The error log of the last 24 hours, as administrators read it")
	filter := errorlog.Filter{AllTenants: true, OldestFirst: true}
	for e, err := range log.Query(ctx, filter) {
		if err != nil {
			return err
		}
		s.entry(e)
	}
	path := filepath.Join(stack.Folder, "errors.txt")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("the log file: %w", err)
	}
	_, err = log.Export(ctx, file, filter, errorlog.Text, "en")
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("the log file: %w", err)
	}
	s.title("Done")
	s.line("  The server has %d mails. The full log file: %s", len(stack.Mails.Mails()), path)
	s.line("  Next: rohrpost dev keeps this stack running, with pages in the browser.")
	return nil
}

// recipients is "a@b, c@d".
func recipients(m *rohrpost.Message) string { return strings.Join(m.Recipients(), ", ") }
