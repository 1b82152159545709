package mails_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
)

// afterPipelines cancels once so many pipelines have left.
type afterPipelines struct {
	n      int64
	cancel context.CancelFunc
}

func (afterPipelines) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (afterPipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (a afterPipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	var count atomic.Int64
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if count.Add(1) == a.n {
			a.cancel()
		}
		return err
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.send(message("a@example.org", "b@example.org"))
	s.settle(id, rohrpost.Deferred)
	f := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"bad credentials"}}})
	if err := s.breaker.Park(t.Context(), "tenant/acme", "print", f); err != nil {
		t.Fatal(err)
	}
	entry := errorlog.Entry{Tenant: "acme", JobID: id, Category: "mailbox_unknown", Rule: 7, Recipients: []string{"a@example.org"}}
	if err := s.errors.Append(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	m, err := s.Get(t.Context(), "acme", id)
	if err != nil {
		t.Fatal(err)
	}
	if m.User != "max" || len(m.Recipients) != 2 || !m.CanCancel || !m.CanRetry || !m.CanPutOff || len(m.Failed) > 0 {
		t.Errorf("%+v", m)
	}
	if len(m.Timeline) != 2 || m.Timeline[0].Kind != mails.Enqueued || m.Timeline[1].Kind != mails.Attempted ||
		!m.Timeline[1].Known || m.Timeline[1].Rule != 7 || m.Timeline[1].Host != "mx.example:587" {
		t.Errorf("%+v", m.Timeline)
	}
	if m.Wait == nil || m.Wait.Kind != breaker.Parked || m.Wait.Rule != f.Rule || !strings.Contains(m.Wait.Reply, "bad credentials") {
		t.Errorf("%+v", m.Wait)
	}
	for _, tenant := range []string{"initech", ""} {
		if _, err := s.Get(t.Context(), tenant, id); !errors.Is(err, mails.ErrNotFound) {
			t.Errorf("%q: %v", tenant, err)
		}
	}
	s.settle(id, rohrpost.Partly, accepted(), failed("no"))
	if m, err = s.Get(t.Context(), "acme", id); err != nil || m.Wait != nil || m.CanCancel || !slices.Equal(m.Failed, []string{"b@example.org"}) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestAct(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.send(message("a@example.org"))
	if err := s.Act(t.Context(), "initech", id, deed(mails.Cancel)); !errors.Is(err, mails.ErrNotFound) {
		t.Errorf("another tenant's mail: %v", err)
	}
	if err := s.Act(t.Context(), "acme", id, deed(mails.PutOff)); err != nil {
		t.Fatal(err)
	}
	s.wantList(mails.Filter{State: rohrpost.Scheduled}, id)
	past := deed(mails.PutOff)
	past.At = time.Now().Add(-time.Minute)
	if err := s.Act(t.Context(), "acme", id, past); err == nil {
		t.Error("it was put off into the past")
	}
	for _, a := range []mails.Action{mails.Retry, mails.Cancel} {
		if err := s.Act(t.Context(), "acme", id, deed(a)); err != nil {
			t.Fatal(err)
		}
	}
	s.wantList(mails.Filter{State: rohrpost.Canceled}, id)
	if err := s.Act(t.Context(), "acme", id, deed("delete")); !errors.Is(err, mails.ErrAction) {
		t.Error(err)
	}
	var told []string
	for _, l := range s.lines() {
		told = append(told, string(l.Action))
		if l.Who != "anna" || l.Source != audit.Pages || l.Outcome != audit.Done || len(l.Mails) != 1 {
			t.Errorf("%+v", l)
		}
	}
	if want := []string{"cancel", "reschedule", "retry", "cancel"}; !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}

func TestCorrect(t *testing.T) {
	t.Parallel()
	s := open(t)
	m := message("tippfeler@example.org", "b@example.org")
	m.ID = "invoice-4711"
	m.Text = strings.Repeat("Guten Tag\n", 5000) // a blob
	m.Attachments = []rohrpost.Attachment{{Name: "R.pdf", Content: []byte("%PDF")}}
	id := s.send(m)
	if _, err := s.Correct(t.Context(), "acme", id, "tippfeler@example.org", "tippfehler@example.org", deed("")); !errors.Is(err, producer.ErrNotFailed) {
		t.Errorf("a mail on its way: %v", err)
	}
	s.settle(id, rohrpost.Partly, failed("no such user"), accepted())
	if _, err := s.Correct(t.Context(), "acme", id, "b@example.org", "c@example.org", deed("")); !errors.Is(err, producer.ErrNotFailed) {
		t.Errorf("who has the mail: %v", err)
	}
	if _, err := s.Correct(t.Context(), "acme", id, "tippfeler@example.org", "no address", deed("")); err == nil {
		t.Error("it was sent to no address")
	}
	for i := range 2 {
		receipt, err := s.Correct(t.Context(), "acme", id, "tippfeler@example.org", " tippfehler@example.org ", deed(""))
		if err != nil || receipt.Duplicate != (i == 1) {
			t.Fatalf("%+v, %v", receipt, err)
		}
		got, err := s.Get(t.Context(), "acme", receipt.ID)
		if err != nil || got.Original != id || len(got.Recipients) != 1 || got.Recipients[0].Address != "tippfehler@example.org" || got.User != "max" {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := s.Get(t.Context(), "acme", id); err != nil || got.State != rohrpost.Partly || len(got.Recipients) != 2 {
		t.Errorf("the original: %+v, %v", got, err)
	}
	if lines := s.lines(); len(lines) != 5 || lines[3].Action != audit.Correct || lines[3].Count != 1 || lines[4].Count != 0 {
		t.Errorf("%+v", lines)
	}
	ids, _ := s.list(mails.Filter{Recipient: "tippfehler@example.org"}, 10)
	if len(ids) != 1 {
		t.Errorf("%q", ids)
	}
}

func TestCorrectSealed(t *testing.T) {
	t.Parallel()
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, func(_ *mails.Options, p *producer.Options) { p.Recipients = []string{recipient} })
	id := s.send(message("a@example.org"))
	s.settle(id, rohrpost.Failed, failed("no"))
	if _, err := s.Correct(t.Context(), "acme", id, "a@example.org", "b@example.org", deed("")); !errors.Is(err, producer.ErrSealed) {
		t.Error(err)
	}
	if m, err := s.Get(t.Context(), "acme", id); err != nil || !errors.Is(m.Uncorrectable, producer.ErrSealed) || !m.CanRetry {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestBulk(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 30 {
		id := s.send(message("a@example.org"))
		if i%3 == 0 {
			s.settle(id, rohrpost.Failed, failed("no"))
		}
	}
	f := mails.Filter{State: rohrpost.Failed}
	if n, exact, err := s.Count(t.Context(), "acme", f); n != 10 || !exact || err != nil {
		t.Errorf("%d, exact %v, %v", n, exact, err)
	}
	if r, err := s.Bulk(t.Context(), "initech", f, deed(mails.Retry)); r != (mails.Result{}) || err != nil {
		t.Errorf("another tenant: %+v, %v", r, err)
	}
	if r, err := s.Bulk(t.Context(), "acme", f, deed(mails.Retry)); r != (mails.Result{Done: 10}) || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	s.wantList(f)
	if r, err := s.Bulk(t.Context(), "acme", mails.Filter{}, deed(mails.Cancel)); r != (mails.Result{Done: 30}) || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := s.Bulk(t.Context(), "acme", mails.Filter{}, deed(mails.Cancel)); r != (mails.Result{Refused: 30}) || err != nil {
		t.Errorf("%+v, %v", r, err)
	}
	lines := s.lines()
	if len(lines) != 3 || lines[0].Of != 10 || lines[0].Count != 10 || lines[0].Tenant != "acme" || len(lines[0].Mails) != 5 || lines[2].Count != 0 {
		t.Errorf("%+v", lines)
	}
}
