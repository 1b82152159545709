package delivery_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// noted are the mails of a state, as the index has them.
func (h *harness) noted(q mailindex.Query) []string {
	h.t.Helper()
	index, err := mailindex.New(mailindex.Options{Redis: h.rdb})
	if err != nil {
		h.t.Fatal(err)
	}
	var ids []string
	err = index.Walk(h.t.Context(), q, mailindex.Cursor{}, func(e mailindex.Entry) bool {
		ids = append(ids, e.ID)
		return true
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

// TestIndex: the index of mails hears what becomes of them, and of one that is accepted at
// once only that it is counted.
func TestIndex(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	w := h.start()
	good := h.send(rohrpost.Message{Tenant: "acme", To: []rohrpost.Address{{Address: "a@example.org"}}})
	h.next("accepted")
	h.server.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 no such user"))
	bad := h.send(rohrpost.Message{Tenant: "acme", To: []rohrpost.Address{{Address: "nobody@example.org"}}})
	h.next("failed")
	w.Stop() // and write what has gathered
	if got := h.noted(mailindex.Query{Tenant: "acme", State: rohrpost.Failed}); !slices.Equal(got, []string{bad}) {
		t.Errorf("failed: %q", got)
	}
	if got := h.noted(mailindex.Query{Tenant: "acme"}); !slices.Equal(got, []string{bad, good}) {
		t.Errorf("all: %q", got)
	}
	if n := h.rdb.ZCard(t.Context(), "rohrpost:mails:{acme}:notes").Val(); n != 1 {
		t.Errorf("%d notes", n)
	}
	index, err := mailindex.New(mailindex.Options{Redis: h.rdb})
	if err != nil {
		t.Fatal(err)
	}
	hours, err := index.Hours(t.Context(), "acme", time.Now().Add(-time.Hour), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var sum mailindex.Hour
	var ok, failed int64
	for _, hour := range hours {
		sum.Enqueued += hour.Enqueued
		ok += hour.States[rohrpost.Accepted]
		failed += hour.States[rohrpost.Failed]
	}
	if sum.Enqueued != 2 || ok != 1 || failed != 1 {
		t.Errorf("%+v", hours)
	}
}
