package delivery_test

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestParked: after one refused login the account's mails wait and nobody logs in
// again; released, they go out.
func TestParked(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.On(smtptest.MAIL, smtptest.Reply(530, "5.7.57 Client not authenticated to send mail"))
	h.start()
	first := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org")})
	h.next("deferred")
	second := h.send(rohrpost.Message{Tenant: "acme", To: to("b@example.org")})
	h.next("parked")
	if n := h.server.Count(smtptest.MAIL); n != 1 {
		t.Errorf("%d attempts reached the server, want 1", n)
	}
	for _, id := range []string{first, second} {
		if st := h.status(id); st.State != rohrpost.Parked || st.Attempts != 0 || st.NextAttempt != nil {
			t.Errorf("%+v", st)
		}
	}
	if list := h.entries(first); len(list) != 1 || list[0].Category != "auth_required" || list[0].Final || !list[0].NextAttempt.IsZero() {
		t.Errorf("entries of the refused one: %+v", list)
	}
	if list := h.entries(second); len(list) != 0 {
		t.Errorf("nothing was tried, and yet: %+v", list)
	}
	// The time of a mail runs while it waits.
	short := h.send(rohrpost.Message{Tenant: "acme", To: to("d@example.org"), Expires: time.Now().Add(2 * time.Second)})
	h.next("failed")
	if st := h.status(short); st.State != rohrpost.Expired {
		t.Errorf("after its time: %+v", st)
	}
	if list := h.entries(short); len(list) != 1 || !list[0].Final || list[0].Category != "expired" {
		t.Errorf("entries of the one that expired: %+v", list)
	}
	// Released, those that wait go at once, each once.
	h.server.On(smtptest.MAIL, smtptest.Answer{})
	if err := h.newBreaker().Reset(t.Context(), "platform"); err != nil {
		t.Fatal(err)
	}
	h.next("accepted")
	h.next("accepted")
	for _, id := range []string{first, second} {
		if st := h.status(id); st.State != rohrpost.Accepted || st.Attempts != 1 {
			t.Errorf("after the release: %+v", st)
		}
	}
	if n := len(h.server.Mails()); n != 2 {
		t.Errorf("the server has %d mails", n)
	}
}

// TestLostBacklog: a mail that waits for its parked account is enqueued again when the
// backlog was lost, and goes with the release.
func TestLostBacklog(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.server.Once(smtptest.MAIL, smtptest.Reply(530, "5.7.57 Client not authenticated to send mail"))
	w := h.start()
	id := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org")})
	h.next("deferred")
	for info := h.task(id); info.State != asynq.TaskStateRetry; info = h.task(id) {
		t.Log("it is being put back")
	}
	const waiting = "rohrpost:backlog:{platform}:mails"
	if n, err := h.rdb.Del(t.Context(), waiting).Result(); err != nil || n != 1 {
		t.Fatalf("%d backlogs, %v", n, err)
	}
	if err := w.Reconcile(t.Context(), reconcile.Options{Pause: time.Millisecond, Settle: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if n := h.rdb.ZCard(t.Context(), waiting).Val(); n != 1 {
		t.Fatalf("%d mails wait", n)
	}
	if err := h.newBreaker().Reset(t.Context(), "platform"); err != nil {
		t.Fatal(err)
	}
	h.next("accepted")
}
