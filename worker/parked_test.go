package worker_test

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/worker"
)

// TestParked: after one refused login the account's mails wait and nobody logs in
// again; released, they go out.
func TestParked(t *testing.T) {
	t.Parallel()
	var g *gate.Gate
	h := newHarness(t, func(o *worker.Options) {
		var err error
		if g, err = gate.New(gate.Options{Redis: o.Redis}); err != nil {
			t.Fatal(err)
		}
		o.Gate = g
	})
	h.server.On(smtptest.MAIL, smtptest.Reply(530, "5.7.57 Client not authenticated to send mail"))
	h.start()
	first := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org")})
	h.next("deferred")
	second := h.send(rohrpost.Message{Tenant: "acme", To: to("b@example.org")})
	h.next("deferred")
	if n := h.server.Count(smtptest.MAIL); n != 1 {
		t.Errorf("%d attempts reached the server, want 1", n)
	}
	for id, attempts := range map[string]int{first: 1, second: 0} {
		st, err := h.mail.Status(t.Context(), id)
		if err != nil || st.State != rohrpost.Parked || st.Attempts != attempts || st.NextAttempt == nil || time.Until(*st.NextAttempt) > time.Minute {
			t.Errorf("%s: %+v, %v", id, st, err)
		}
	}
	entries := append(h.entries(first), h.entries(second)...)
	if len(entries) != 2 {
		t.Fatalf("%d entries", len(entries))
	}
	for _, e := range entries {
		if e.Category != "auth_required" || e.Final || e.NextAttempt.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	// The time of a mail runs while it waits.
	short := h.send(rohrpost.Message{Tenant: "acme", To: to("d@example.org"), Expires: time.Now().Add(2 * time.Second)})
	h.next("failed")
	if st := h.status(short); st.State != rohrpost.Expired {
		t.Errorf("after its time: %+v", st)
	}
	if list := h.entries(short); len(list) != 2 || !list[1].Final || list[1].Category != "expired" {
		t.Errorf("entries of the one that expired: %+v", list)
	}
	if err := g.Release(t.Context(), "platform"); err != nil {
		t.Fatal(err)
	}
	h.server.On(smtptest.MAIL, smtptest.Answer{})
	third := h.send(rohrpost.Message{Tenant: "acme", To: to("c@example.org")})
	h.next("accepted")
	if st, err := h.mail.Status(t.Context(), third); err != nil || st.State != rohrpost.Accepted {
		t.Errorf("after the release: %+v, %v", st, err)
	}
}
