package producer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestConflict: whoever corrects an address and sends the mail again is told that it was
// not sent. Sealed mails are compared before they are sealed.
func TestConflict(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]producer.Options{"clear": {}, "sealed": sealing(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, rdb := newClient(t, options)
			mustSend(t, client, mail(), producer.WithID("a"))
			other := mail()
			other.To[0].Address, other.Text = "kundin@example.org", strings.Repeat("x", 100_000)
			for range 2 {
				receipt, err := client.Send(t.Context(), other, producer.WithID("a"))
				conflict, ok := errors.AsType[*producer.ConflictError](err)
				if !ok || !errors.Is(err, producer.ErrConflict) || receipt != (rohrpost.Receipt{ID: "a"}) {
					t.Fatalf("%+v, %v", receipt, err)
				}
				if diff := cmp.Diff(&producer.ConflictError{ID: "a", Fields: []string{"to", "text"}}, conflict); diff != "" {
					t.Error(diff)
				}
				if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "kund") {
					t.Errorf("the error is %q", err)
				}
			}
			if r := mustSend(t, client, mail(), producer.WithID("a")); !r.Duplicate {
				t.Errorf("the same mail: %+v", r)
			}
			if got := tasks(t, rdb); len(got) != 1 {
				t.Errorf("tasks %q", got)
			}
			if waiting := rdb.HGet(t.Context(), "rohrpost:quota:{waiting}:mails", "acme").Val(); waiting != "1" {
				t.Errorf("%s mails wait", waiting)
			}
			if kept := rdb.HGet(t.Context(), record("a"), "f").Val(); len(kept) == 0 || len(kept) > 64 {
				t.Errorf("the record keeps %d octets", len(kept))
			}
		})
	}
}

// TestConflictInABatch stops none of the others.
func TestConflictInABatch(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	first, second, third := mail(), mail(), mail()
	first.ID, second.ID, third.ID = "a", "a", "b"
	second.Subject = "Mahnung"
	results, err := client.SendBatch(t.Context(), []rohrpost.Message{first, second, third})
	if !errors.Is(err, producer.ErrConflict) || results[0].Err != nil || !errors.Is(results[1].Err, producer.ErrConflict) || results[2].Err != nil {
		t.Fatalf("%+v, %v", results, err)
	}
	if got := tasks(t, rdb); len(got) != 2 {
		t.Errorf("tasks %q", got)
	}
}

// TestNoConflict: what an older version has opened has no print, and neither has a random id;
// an ended mail is remembered with its print.
func TestNoConflict(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	other := mail()
	other.Subject = "Mahnung"
	mustSend(t, client, mail(), producer.WithID("older"))
	rdb.HDel(t.Context(), record("older"), "f")
	random := mustSend(t, client, mail()).ID
	for _, id := range []string{"older", random} {
		if r := mustSend(t, client, other, producer.WithID(id)); !r.Duplicate {
			t.Errorf("%s: %+v", id, r)
		}
	}
	mustSend(t, client, mail(), producer.WithID("ended"))
	if err := client.Cancel(t.Context(), "ended"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Send(t.Context(), other, producer.WithID("ended")); !errors.Is(err, producer.ErrConflict) {
		t.Errorf("after its end: %v", err)
	}
}

// TestIDsOfApplications: an id may be what an application calls the thing, a path say.
func TestIDsOfApplications(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for _, id := range []string{"invoice/4711", "a/b//c@d+e=f", "kunde@example.org", "a/../b", "x" + strings.Repeat("/", 255)} {
		for _, tenant := range []string{"acme", ""} {
			m := mail()
			m.Tenant, m.ID = tenant, id
			first := mustSend(t, client, m)
			if again := mustSend(t, client, m); first.Duplicate || !again.Duplicate || again.MessageID != first.MessageID || again.ID != id {
				t.Errorf("%s of %q: %+v, then %+v", id, tenant, first, again)
			}
			if left, _, _ := strings.Cut(first.MessageID, "@"); len(left) > 65 || strings.ContainsAny(left, " @") {
				t.Errorf("%s becomes %s", id, first.MessageID)
			}
		}
		bound := client.ForTenant("acme")
		if st, err := bound.Status(t.Context(), id); err != nil || st.ID != id || st.Tenant != "acme" {
			t.Errorf("%s: %+v, %v", id, st, err)
		}
		if err := bound.Cancel(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, task := range tasks(t, rdb) {
		if parts := strings.Split(task, "/"); len(parts) != 3 { // "queue/state/key"
			t.Errorf("a slash in the key of %s", task)
		}
	}
	if _, err := client.Status(t.Context(), "invoice!4711"); !errors.Is(err, producer.ErrNotFound) {
		t.Errorf("what only keys have is an id: %v", err)
	}
}
