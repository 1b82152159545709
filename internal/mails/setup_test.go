package mails_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A site is a service on a Redis of its own, with what producers and workers have there.
type site struct {
	*mails.Service
	t       *testing.T
	rdb     redis.UniversalClient
	mail    *producer.Client
	book    *ledger.Ledger
	index   *mailindex.Index
	becomes *mailindex.Gatherer
	errors  *errorlog.Log
	breaker *breaker.Breaker
	audit   *audit.Log
}

func open(t *testing.T, change ...func(*mails.Options, *producer.Options)) *site {
	t.Helper()
	s := &site{t: t, rdb: redistest.Start(t).Client(t)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var o mails.Options
	var p producer.Options
	for _, c := range change {
		c(&o, &p)
	}
	index, err := mailindex.New(mailindex.Options{Redis: s.rdb})
	must(err)
	s.index, s.becomes = index, mailindex.NewGatherer(index)
	p.MessageIDDomain = "acme.example"
	s.mail, err = producer.New(s.rdb, p)
	must(err)
	s.book, err = ledger.New(ledger.Options{Redis: s.rdb})
	must(err)
	s.errors, err = errorlog.New(errorlog.Options{Redis: s.rdb})
	must(err)
	s.breaker, err = breaker.New(breaker.Options{Redis: s.rdb, Backlog: backlog.New(s.rdb, nil)})
	must(err)
	s.audit, err = audit.New(audit.Options{Redis: s.rdb})
	must(err)
	o.Ledger, o.Index, o.Producer, o.Errors, o.Blocks, o.Audit = s.book, index, s.mail, s.errors, s.breaker, s.audit
	s.Service, err = mails.New(o)
	must(err)
	return s
}

func message(to ...string) rohrpost.Message {
	m := rohrpost.Message{
		Tenant: "acme", User: rohrpost.User{ID: "max"}, From: rohrpost.Address{Address: "max@acme.example"},
		Subject: "Rechnung 4711", Text: "Guten Tag",
	}
	for _, a := range to {
		m.To = append(m.To, rohrpost.Address{Name: "Kunde", Address: a})
	}
	return m
}

func (s *site) send(m rohrpost.Message) string {
	s.t.Helper()
	receipt, err := s.mail.Send(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	return receipt.ID
}

// settle writes what an attempt at a mail of acme's has come to, as a worker does.
func (s *site) settle(id string, state rohrpost.State, verdicts ...rohrpost.RecipientStatus) {
	s.t.Helper()
	r, err := s.book.Find(s.t.Context(), "acme", id)
	if err != nil {
		s.t.Fatal(err)
	}
	job := &payload.Job{MessageID: r.MessageID, EnqueuedAt: r.EnqueuedAt}
	job.ID, job.Tenant = id, "acme"
	settlement := ledger.Settlement{
		Token: "t", Revision: r.Revision, State: state, Counts: true, Account: "tenant/acme", Level: "tenant", Why: "the tenant's account comes first",
		Verdicts: map[int]rohrpost.RecipientStatus{},
	}
	for i, v := range verdicts {
		settlement.Verdicts[i] = v
	}
	if state != rohrpost.Accepted {
		settlement.Event = &rohrpost.Event{Attempt: 1, Host: "mx.example:587", Stage: "rcpt", Category: "mailbox_unknown", Class: "permanent", Code: 550}
	}
	if err := s.book.Settle(s.t.Context(), job, settlement); err != nil {
		s.t.Fatal(err)
	}
	s.becomes.Note(mailindex.Note{Mail: r.Mail(), State: state, Ends: time.Now().Add(48 * time.Hour)})
	if err := s.becomes.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// list is what a filter picks of acme's mails, in pages of so many.
func (s *site) list(f mails.Filter, limit int) (ids []string, first mails.Page) {
	s.t.Helper()
	for cursor := ""; ; {
		page, err := s.List(s.t.Context(), "acme", f, cursor, limit)
		if err != nil {
			s.t.Fatal(err)
		}
		if cursor == "" {
			first = page
		}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids, first
		}
	}
}

func (s *site) wantList(f mails.Filter, want ...string) {
	s.t.Helper()
	for _, limit := range []int{1, 3, 100} {
		if got, _ := s.list(f, limit); !slices.Equal(got, want) {
			s.t.Errorf("%+v, pages of %d: %q, want %q", f, limit, got, want)
		}
	}
}

func failed(text string) rohrpost.RecipientStatus {
	return rohrpost.RecipientStatus{State: rohrpost.RecipientFailed, Code: 550, Enhanced: "5.1.1", Diagnostic: text}
}

func accepted() rohrpost.RecipientStatus {
	return rohrpost.RecipientStatus{State: rohrpost.RecipientAccepted, Code: 250, Diagnostic: "Ok"}
}

// deed is the operator's.
func deed(a mails.Action) mails.Deed {
	return mails.Deed{Action: a, Who: "anna", Source: audit.Pages, At: time.Now().Add(time.Hour)}
}

// lines are those of the audit log.
func (s *site) lines() []audit.Record {
	s.t.Helper()
	lines, err := s.audit.Latest(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}
