package mailpages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
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
	"github.com/rohrpost/rohrpost/internal/web/mailpages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A site is the pages over a Redis of their own. The person of a request stands in its
// header X-Person: anna is acme's administrator, rita its reader, olga the operator.
type site struct {
	t       *testing.T
	redis   *redistest.Server
	rdb     redis.UniversalClient
	mail    *producer.Client
	book    *ledger.Ledger
	becomes *mailindex.Gatherer
	audit   *audit.Log
	mux     *http.ServeMux
}

func person(name string) signin.Person {
	switch name {
	case "anna":
		return signin.Person{Name: name, Role: configs.RoleAdmin, Tenant: "acme"}
	case "rita":
		return signin.Person{Name: name, Role: configs.RoleReader, Tenant: "acme"}
	case "olga":
		return signin.Person{Name: name, Role: configs.RoleOperator}
	}
	return signin.Person{}
}

// Handle implements ui.Router as the server does.
func (s *site) Handle(pattern string, need ui.Need, h ui.Handler) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p := person(r.Header.Get("X-Person"))
		if !need.Met(r, p) {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		h(w, r, p)
	})
}

func open(t *testing.T, o producer.Options) *site {
	t.Helper()
	s := &site{t: t, redis: redistest.Start(t), mux: http.NewServeMux()}
	s.rdb = s.redis.Client(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	index, err := mailindex.New(mailindex.Options{Redis: s.rdb})
	must(err)
	s.becomes = mailindex.NewGatherer(index)
	s.mail, err = producer.New(s.rdb, o)
	must(err)
	s.book, err = ledger.New(ledger.Options{Redis: s.rdb})
	must(err)
	log, err := errorlog.New(errorlog.Options{Redis: s.rdb})
	must(err)
	blocks, err := breaker.New(breaker.Options{Redis: s.rdb, Backlog: backlog.New(s.rdb, nil)})
	must(err)
	s.audit, err = audit.New(audit.Options{Redis: s.rdb})
	must(err)
	service, err := mails.New(mails.Options{Ledger: s.book, Index: index, Producer: s.mail, Errors: log, Blocks: blocks, Audit: s.audit})
	must(err)
	frame, err := ui.New(ui.Options{})
	must(err)
	pages, err := mailpages.New(mailpages.Options{UI: frame, Mails: service})
	must(err)
	pages.Register(s)
	return s
}

// send enqueues one of acme's mails.
func (s *site) send(change ...func(*rohrpost.Message)) string {
	s.t.Helper()
	m := rohrpost.Message{
		Tenant: "acme", User: rohrpost.User{ID: "max"}, From: rohrpost.Address{Address: "max@acme.example"},
		To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Rechnung", Text: "Guten Tag",
	}
	for _, c := range change {
		c(&m)
	}
	receipt, err := s.mail.Send(s.t.Context(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	return receipt.ID
}

// fail settles one of acme's mails as failed, as a worker does.
func (s *site) fail(id, reply string) {
	s.t.Helper()
	r, err := s.book.Find(s.t.Context(), "acme", id)
	if err != nil {
		s.t.Fatal(err)
	}
	job := &payload.Job{MessageID: r.MessageID, EnqueuedAt: r.EnqueuedAt}
	job.ID, job.Tenant = id, "acme"
	err = s.book.Settle(s.t.Context(), job, ledger.Settlement{
		Token: "t", Revision: r.Revision, State: rohrpost.Failed, Counts: true, Account: "tenant/acme", Level: "tenant", Why: reply,
		Verdicts: map[int]rohrpost.RecipientStatus{0: {State: rohrpost.RecipientFailed, Code: 550, Enhanced: "5.1.1", Diagnostic: reply}},
		Event:    &rohrpost.Event{Attempt: 1, Host: reply, Stage: "rcpt", Category: "mailbox_unknown", Class: "permanent", Code: 550, Diagnostic: reply},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.becomes.Note(mailindex.Note{Mail: r.Mail(), State: rohrpost.Failed, Ends: time.Now().Add(time.Hour)})
	if err := s.becomes.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// ask is the answer to a request of a person; a form makes it a POST.
func (s *site) ask(who, path string, form url.Values) (status int, body string, location string) {
	s.t.Helper()
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, content)
	r.Header.Set("X-Person", who)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header().Get("Location")
}

// page is a page that must be there.
func (s *site) page(who, path string) string {
	s.t.Helper()
	status, body, _ := s.ask(who, path, nil)
	if status != http.StatusOK {
		s.t.Fatalf("%s: %d\n%s", path, status, body)
	}
	return body
}

// want checks that a page holds each of these texts.
func (s *site) want(body string, texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.t.Errorf("no %q in\n%s", text, body)
		}
	}
}
