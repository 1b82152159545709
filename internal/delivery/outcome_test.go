package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

func TestAccepted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.start()
	id := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org"), Bcc: to("b@example.org"), Metadata: map[string]string{"invoice": "4711"}})
	h.next("accepted")

	st := h.status(id)
	if st.State != rohrpost.Accepted || st.Attempts != 1 || st.Account != "platform" || st.Why == "" || st.Metadata["invoice"] != "4711" {
		t.Errorf("status %+v", st)
	}
	for _, r := range st.Recipients {
		if r.State != rohrpost.RecipientAccepted || r.Code != 250 {
			t.Errorf("recipient %+v", r)
		}
	}
	mails := h.server.Mails()
	if len(mails) != 1 || !cmp.Equal(mails[0].Recipients, []string{"a@example.org", "b@example.org"}) {
		t.Errorf("mails %+v", mails)
	}
	if e := h.entries(id); len(e) != 0 {
		t.Errorf("entries %+v", e)
	}
}

func TestOneRecipientRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.Recipient("gone@example.org"), smtptest.Reply(550, "5.1.1 user unknown"))
	h.start()
	id := h.send(rohrpost.Message{Tenant: "acme", To: to("gone@example.org", "here@example.org")})
	h.next("failed")

	st := h.status(id)
	want := []rohrpost.RecipientStatus{
		{Address: "gone@example.org", State: rohrpost.RecipientFailed, Code: 550, Enhanced: "5.1.1"},
		{Address: "here@example.org", State: rohrpost.RecipientAccepted, Code: 250},
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		return p.String() == "Diagnostic" || p.String() == "Enhanced"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, st.Recipients, ignore); diff != "" || st.State != rohrpost.Partly {
		t.Errorf("state %s, recipients %s", st.State, diff)
	}
	e := h.entries(id)
	if len(e) != 1 || !e[0].Final || !cmp.Equal(e[0].Recipients, []string{"gone@example.org"}) ||
		e[0].Category != "recipient_unknown" || e[0].Class != string(failure.Permanent) || e[0].Tenant != "acme" {
		t.Errorf("entries %+v", e)
	}
	if n := h.server.Taken(); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestDeferredThenAccepted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.Once(smtptest.RCPT, smtptest.Reply(451, "4.3.0 later"), smtptest.Reply(450, "4.2.0 later"))
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("deferred")
	if st := h.status(id); st.State != rohrpost.Deferred || st.NextAttempt == nil || st.Recipients[0].State != rohrpost.RecipientDeferred {
		t.Errorf("after the first attempt: %+v", st)
	}
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Accepted || st.Attempts != 3 || st.NextAttempt != nil {
		t.Errorf("at the end: %+v", st)
	}
	for i, e := range h.entries(id) {
		if e.Attempt != i+1 || e.Final || e.NextAttempt.IsZero() {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	if n := len(h.entries(id)); n != 2 {
		t.Errorf("%d entries", n)
	}
}

func TestOnlyTheDeferredAreTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.Recipient("gone@example.org"), smtptest.Reply(550, "5.1.1 user unknown"))
	h.server.Once(smtptest.Recipient("late@example.org"), smtptest.Reply(451, "4.3.0 later"))
	h.start()
	id := h.send(rohrpost.Message{To: to("here@example.org", "gone@example.org"), Cc: to("late@example.org")})
	h.next("failed", "accepted")

	if st := h.status(id); st.State != rohrpost.Partly || st.Attempts != 2 {
		t.Errorf("status %+v", st)
	}
	var got [][]string
	for _, m := range h.server.Mails() {
		got = append(got, m.Recipients)
	}
	if diff := cmp.Diff([][]string{{"here@example.org"}, {"late@example.org"}}, got); diff != "" {
		t.Error(diff)
	}
	if n := h.server.Count(smtptest.Recipient("gone@example.org")); n > 1 {
		t.Errorf("a refused recipient was tried %d times", n)
	}
}

func TestFailed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.Dot, smtptest.Reply(554, "5.7.1 this is spam"))
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org", "b@example.org")})
	h.next("failed")
	if st := h.status(id); st.State != rohrpost.Failed || st.Recipients[1].Code != 554 {
		t.Errorf("status %+v", st)
	}
	e := h.entries(id)
	if len(e) != 1 || !e[0].Final || len(e[0].Recipients) != 2 || e[0].Stage != string(failure.StageDot) || !e[0].NextAttempt.IsZero() {
		t.Errorf("entries %+v", e)
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.RCPT, smtptest.Reply(451, "4.3.0 later"))
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org"), Expires: time.Now().Add(2500 * time.Millisecond)})
	h.next("failed")
	if st := h.status(id); st.State != rohrpost.Expired || st.Recipients[0].State != rohrpost.RecipientFailed || st.NextAttempt != nil {
		t.Errorf("status %+v", st)
	}
	e := h.entries(id)
	if last := e[len(e)-1]; !last.Final {
		t.Errorf("last entry %+v", last)
	}
}

func TestExpiredBeforeTheFirstAttempt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("a@example.org"), Expires: time.Now().Add(time.Hour)})
	h.options.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	h.start()
	h.next("failed")
	if st := h.status(id); st.State != rohrpost.Expired || h.server.Sessions() != 0 {
		t.Errorf("status %+v, %d sessions", st, h.server.Sessions())
	}
}

// TestExpiresWhileItWaits: that no attempt was left is none. Account, cause and the last
// reply of the server stay.
func TestExpiresWhileItWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.options.Retry.First, h.options.Retry.Max = time.Hour, time.Hour
	h.server.On(smtptest.RCPT, smtptest.Reply(451, "4.7.1 greylisted, come again"))
	w, err := delivery.New(h.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := h.send(rohrpost.Message{To: to("a@example.org"), Expires: time.Now().Add(90 * time.Minute)})
	h.next("deferred")
	w.Stop()
	h.options.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if err := queue.Move(t.Context(), h.rdb, queue.Ref{Queue: "default", ID: h.key(id)}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.next("failed")
	st := h.status(id)
	if st.State != rohrpost.Expired || st.Attempts != 1 || st.Account != "platform" || st.Recipients[0].State != rohrpost.RecipientFailed ||
		st.Recipients[0].Code != 451 || !strings.Contains(st.Recipients[0].Diagnostic, "come again") {
		t.Errorf("%+v", st)
	}
	if last := st.History[len(st.History)-1]; last.Attempt != 0 || last.Account != "platform" || last.Category != "expired" {
		t.Errorf("%+v", last)
	}
	list := h.entries(id)
	last := list[len(list)-1]
	if last.Category != "expired" || last.Attempt != 1 || last.Account != "platform" || !last.Final || !strings.Contains(last.Diagnostic, "before that 451 4.7.1 greylisted, come again") {
		t.Errorf("%+v", last)
	}
}

func TestUncertainIsSentAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.Once(smtptest.Dot, smtptest.Cut().Taking())
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("uncertain")
	if st := h.status(id); st.State != rohrpost.Deferred || st.Recipients[0].State != rohrpost.RecipientUncertain {
		t.Errorf("after the cut: %+v", st)
	}
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Accepted || !st.MaybeTwice {
		t.Errorf("at the end: %+v", st)
	}
	if e := h.entries(id); len(e) != 1 || e[0].Class != string(failure.Uncertain) || e[0].Category != "delivery_uncertain" {
		t.Errorf("entries %+v", e)
	}
	if n := h.server.Taken(); n != 2 {
		t.Errorf("%d mails", n)
	}
}

func TestUncertainIsHeld(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.Once(smtptest.Dot, smtptest.Cut().Taking())
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org"), OnUncertain: rohrpost.Hold})
	h.next("uncertain")
	if st := h.status(id); st.State != rohrpost.Uncertain || st.NextAttempt != nil {
		t.Errorf("status %+v", st)
	}
	if e := h.entries(id); len(e) != 1 || !e[0].Final {
		t.Errorf("entries %+v", e)
	}
	if n := h.server.Taken(); n != 1 {
		t.Errorf("%d mails", n)
	}
	// The archive would lose it, and so would an end before that of its record.
	var info *asynq.TaskInfo
	for info == nil || info.State != asynq.TaskStateRetry {
		info = h.task(id)
	}
	if left := h.rdb.PTTL(t.Context(), "rohrpost:job:{"+id+"}").Val(); !info.NextProcessAt.Before(time.Now().Add(left)) || left < 24*time.Hour {
		t.Errorf("its task comes at %v, its record ends in %v", info.NextProcessAt, left)
	}
	if err := h.mail.Retry(t.Context(), id); err != nil { // a person has decided
		t.Fatal(err)
	}
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Accepted || !st.MaybeTwice || h.server.Taken() != 2 {
		t.Errorf("after retry: %+v", st)
	}
}

// TestUncertainThenRefused: who may have had the mail before stays uncertain when the
// second try is refused, and is not tried a third time.
func TestUncertainThenRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.Once(smtptest.Dot, smtptest.Cut().Taking())
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("uncertain")
	h.server.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 user unknown"))
	h.next("failed")
	st := h.status(id)
	if st.State != rohrpost.Uncertain || st.Recipients[0].State != rohrpost.RecipientUncertain || st.Recipients[0].Code != 550 || h.server.Taken() != 1 {
		t.Errorf("%+v", st)
	}
	if e := h.entries(id); len(e) != 2 || e[0].Final || !e[1].Final {
		t.Errorf("entries %+v", e)
	}
}

func TestTenantsDoNotMix(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 user unknown"))
	h.start()
	h.send(rohrpost.Message{Tenant: "a", To: to("x@example.org")})
	h.send(rohrpost.Message{Tenant: "b", To: to("y@example.org")})
	h.next("failed")
	h.next("failed")
	for e, err := range h.log.Query(t.Context(), errorlog.Filter{Tenant: "a"}) {
		if err != nil || e.Tenant != "a" || e.Recipients[0] != "x@example.org" {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
}
