package mails_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
)

func TestList(t *testing.T) {
	t.Parallel()
	s := open(t)
	var ids []string
	for i, to := range []string{"a@example.org", "B@Example.org", "c@other.example", "a@example.org", "d@example.org"} {
		m := message(to)
		m.ID = fmt.Sprintf("mail-%d", i)
		if i == 4 {
			m.NotBefore = time.Now().Add(3 * time.Hour)
			m.User = rohrpost.User{ID: "eve"}
		}
		ids = append(ids, s.send(m))
	}
	foreign := message("a@example.org")
	foreign.Tenant = "initech"
	s.send(foreign)
	s.settle(ids[0], rohrpost.Accepted, accepted())
	s.settle(ids[1], rohrpost.Deferred)
	s.settle(ids[2], rohrpost.Failed, failed("no such user"))

	all := slices.Clone(ids)
	slices.Reverse(all)
	s.wantList(mails.Filter{}, all...)
	s.wantList(mails.Filter{State: rohrpost.Accepted}, ids[0])
	s.wantList(mails.Filter{State: rohrpost.Queued}, ids[3])
	s.wantList(mails.Filter{State: rohrpost.Deferred}, ids[1])
	s.wantList(mails.Filter{State: rohrpost.Failed}, ids[2])
	s.wantList(mails.Filter{State: rohrpost.Scheduled}, ids[4])
	s.wantList(mails.Filter{State: rohrpost.Expired})
	s.wantList(mails.Filter{Recipient: "b@example.ORG"}, ids[1])
	s.wantList(mails.Filter{Recipient: "@example.org"}, ids[4], ids[3], ids[1], ids[0])
	s.wantList(mails.Filter{Recipient: "a@example.org", State: rohrpost.Queued}, ids[3])
	s.wantList(mails.Filter{User: "eve"}, ids[4])
	s.wantList(mails.Filter{ID: ids[2]}, ids[2])
	s.wantList(mails.Filter{ID: ids[2], State: rohrpost.Accepted})
	s.wantList(mails.Filter{ID: "nothing"})
	s.wantList(mails.Filter{To: time.Now().Add(-time.Hour)})
	status, err := s.mail.ForTenant("acme").Status(t.Context(), ids[1])
	if err != nil {
		t.Fatal(err)
	}
	s.wantList(mails.Filter{MessageID: status.MessageID}, ids[1])
	s.wantList(mails.Filter{MessageID: status.MessageID[1 : len(status.MessageID)-1]}, ids[1])
	s.wantList(mails.Filter{MessageID: "<" + ids[1] + "@elsewhere.example>"})

	for f, want := range map[mails.Filter]int64{{}: 5, {State: rohrpost.Failed}: 1, {Recipient: "@example.org"}: 4} {
		if _, page := s.list(f, 1); page.Total != want || !page.Exact || !page.Counted {
			t.Errorf("%+v: %d mails, exact %v", f, page.Total, page.Exact)
		}
	}
	if _, page := s.list(mails.Filter{State: rohrpost.Queued}, 1); page.Total != 1 || !page.Exact {
		t.Errorf("queued: %d mails, exact %v", page.Total, page.Exact)
	}
}

// TestSettledElsewhere: a state that the index has not heard of yet, or heard wrongly, is
// not shown.
func TestSettledElsewhere(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.send(message("a@example.org"))
	s.settle(id, rohrpost.Failed, failed("no"))
	if err := s.mail.ForTenant("acme").Retry(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.wantList(mails.Filter{State: rohrpost.Failed})
	s.wantList(mails.Filter{State: rohrpost.Queued}, id)
	if err := s.mail.ForTenant("acme").Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.wantList(mails.Filter{State: rohrpost.Canceled}, id)
	s.rdb.Del(t.Context(), s.rdb.Keys(t.Context(), "rohrpost:job:*").Val()...)
	s.wantList(mails.Filter{})
	s.wantList(mails.Filter{State: rohrpost.Canceled})
}

// TestUpgrade: a mail that was enqueued before there was an index is found by its id.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.send(message("a@example.org"))
	s.rdb.Del(t.Context(), s.rdb.Keys(t.Context(), "rohrpost:mails:*").Val()...)
	s.wantList(mails.Filter{})
	s.wantList(mails.Filter{ID: id}, id)
	if m, err := s.Get(t.Context(), "acme", id); err != nil || m.State != rohrpost.Queued {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestBadFilter(t *testing.T) {
	t.Parallel()
	s := open(t)
	for field, f := range map[string]mails.Filter{
		"state": {State: "lost"}, "recipient": {Recipient: "example.org"}, "to": {From: time.Now(), To: time.Now().Add(-time.Hour)},
	} {
		_, err := s.List(t.Context(), "acme", f, "", 10)
		problems, _ := errors.AsType[rohrpost.FieldErrors](err)
		if len(problems) != 1 || problems[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := s.List(t.Context(), "acme", mails.Filter{}, "nonsense", 10); !errors.Is(err, mailindex.ErrCursor) {
		t.Error(err)
	}
}

// TestBudget: a look that takes too long says how far it came, and where to go on.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *mails.Options, _ *producer.Options) { o.Budget = 1 })
	s.send(message("a@example.org"))
	if page, err := s.List(t.Context(), "acme", mails.Filter{}, "", 10); err == nil {
		t.Errorf("nothing was read, and it answers %+v", page)
	}
	s = open(t)
	var batch []rohrpost.Message
	for range 700 {
		batch = append(batch, message("a@example.org"))
	}
	if _, err := s.mail.SendBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.rdb.AddHook(afterPipelines{4, cancel}) // sizes, a block, two portions of records
	page, err := s.List(ctx, "acme", mails.Filter{State: rohrpost.Accepted}, "", 10)
	if !errors.Is(err, context.Canceled) || page.Next == "" || page.Reached.IsZero() {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		options producer.Options
		want    mails.Subject
	}{
		"not kept": {producer.Options{}, mails.Subject{}},
		"kept":     {producer.Options{KeepSubject: true}, mails.Subject{Text: "Rechnung 4711"}},
		"sealed":   {producer.Options{KeepSubject: true, Recipients: []string{recipient}}, mails.Subject{Sealed: true}},
	} {
		s := open(t, func(_ *mails.Options, p *producer.Options) { *p = tt.options })
		for _, own := range []string{"", "own-id"} {
			m := message("a@example.org")
			m.ID = own
			got, err := s.Get(t.Context(), "acme", s.send(m))
			if err != nil || got.Subject != tt.want {
				t.Errorf("%s: %+v, %v", name, got.Subject, err)
			}
		}
	}
}
