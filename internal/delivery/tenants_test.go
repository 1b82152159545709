package delivery_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// A house is some tenants who use the same ids, each by a client of his own, and what
// each mail should be: a model in which a mail knows nothing of the others.
type house struct {
	*harness
	rand    *rand.Rand
	tenants []string // sorted
	ids     []string
	states  map[[2]string]rohrpost.State // by tenant and id; "": there is none
	trace   []string
}

var errDuplicate = errors.New("a duplicate")

// expect is what the model says to a deed: the state afterwards, and the error.
func expect(deed string, before rohrpost.State) (rohrpost.State, error) {
	switch {
	case before == "" && deed == "send":
		return rohrpost.Accepted, nil
	case before == "" && deed == "send later":
		return rohrpost.Scheduled, nil
	case before == "":
		return "", producer.ErrNotFound
	case deed == "send", deed == "send later":
		return before, errDuplicate
	case before == rohrpost.Scheduled && deed == "cancel":
		return rohrpost.Canceled, nil
	case before == rohrpost.Scheduled && deed == "retry":
		return rohrpost.Accepted, nil
	case before == rohrpost.Scheduled:
		return before, nil
	case deed == "retry":
		return before, producer.ErrNothingToRetry
	}
	return before, producer.ErrFinal
}

// act does it, as the tenant's client does.
func (h *house) act(tenant, id, deed string) error {
	client := h.mail.ForTenant(tenant)
	switch deed {
	case "cancel":
		return client.Cancel(h.t.Context(), id)
	case "retry":
		return client.Retry(h.t.Context(), id)
	case "reschedule":
		return client.Reschedule(h.t.Context(), id, time.Now().Add(2*time.Hour))
	}
	m := rohrpost.Message{ID: id, To: to(h.recipient(tenant, id)), Subject: "Test", Text: "Guten Tag"}
	if deed == "send later" {
		m.NotBefore = time.Now().Add(time.Hour)
	}
	receipt, err := client.Send(h.t.Context(), m)
	if err == nil && receipt.Duplicate {
		return errDuplicate
	}
	return err
}

func (h *house) recipient(tenant, id string) string {
	return fmt.Sprintf("%s@tenant%d.example", id, slices.Index(h.tenants, tenant))
}

// step lets one tenant do something, and looks at all mails of all tenants.
func (h *house) step() {
	h.t.Helper()
	deeds := []string{"send", "send later", "cancel", "retry", "reschedule"}
	tenant, id, deed := h.tenants[h.rand.IntN(len(h.tenants))], h.ids[h.rand.IntN(len(h.ids))], deeds[h.rand.IntN(len(deeds))]
	mail := [2]string{tenant, id}
	state, want := expect(deed, h.states[mail])
	err := h.act(tenant, id, deed)
	h.trace = append(h.trace, fmt.Sprintf("%s %s of %q: %v", deed, id, tenant, err))
	if !errors.Is(err, want) {
		h.t.Fatalf("%q\nwant %v", h.trace, want)
	}
	h.states[mail] = state
	for _, id := range h.ids {
		h.look(id)
	}
}

// look asks each tenant's client for an id, and the operator's.
func (h *house) look(id string) {
	h.t.Helper()
	var owners []string
	for _, tenant := range h.tenants {
		want := h.states[[2]string{tenant, id}]
		if want == "" {
			if _, err := h.mail.ForTenant(tenant).Status(h.t.Context(), id); !errors.Is(err, producer.ErrNotFound) {
				h.t.Fatalf("%q\nthere is no %s of %q: %v", h.trace, id, tenant, err)
			}
			continue
		}
		owners = append(owners, tenant)
		h.eventually(fmt.Sprintf("%q\n%s of %q is %s", h.trace, id, tenant, want), func() bool {
			st, err := h.mail.ForTenant(tenant).Status(h.t.Context(), id)
			return err == nil && st.State == want && st.Tenant == tenant && st.ID == id && st.Recipients[0].Address == h.recipient(tenant, id)
		})
	}
	st, err := h.mail.Status(h.t.Context(), id)
	var several *producer.AmbiguousError
	switch {
	case len(owners) == 0 && errors.Is(err, producer.ErrNotFound):
	case len(owners) == 1 && err == nil && st.Tenant == owners[0]:
	case len(owners) > 1 && errors.As(err, &several) && slices.Equal(several.Tenants, owners):
	default:
		h.t.Fatalf("%q\nthe operator asks for %s of %q: %+v, %v", h.trace, id, owners, st, err)
	}
}

// TestTenantsWithTheSameIDs: whatever others do under the same ids, each tenant's mails
// go the way that they would go alone, and each leaves once, or not at all.
func TestTenantsWithTheSameIDs(t *testing.T) {
	t.Parallel()
	base := newHarness(t)
	base.start()
	for round := range 4 {
		taken := base.server.Taken()
		seed := rand.Uint64()
		h := &house{
			harness: base, rand: rand.New(rand.NewPCG(seed, 1)), states: map[[2]string]rohrpost.State{},
			tenants: []string{"", "acme", "acme,b", "globex"}, ids: []string{fmt.Sprint("a", round), fmt.Sprint("b", round)},
		}
		h.trace = append(h.trace, fmt.Sprintf("seed %d", seed))
		for range 40 {
			h.step()
		}
		var want, got []string
		for mail, state := range h.states {
			if state == rohrpost.Accepted {
				want = append(want, h.recipient(mail[0], mail[1]))
			}
		}
		for _, m := range base.server.Mails()[taken:] {
			got = append(got, m.Recipients...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q\n(-wanted +taken): %s", h.trace, diff)
		}
	}
}

// What an older version has enqueued, under a key that is its id alone, drains: record,
// backlog and end are found where that version has put them.
func TestOlderTasksDrain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	now := time.Now().UnixMilli()
	record := "rohrpost:job:{old}"
	h.rdb.HSet(t.Context(), record, "t", "acme", "m", "@acme.example>", "q", "default", "e", now, "to", "a@example.org", "n", "nonce", "s", "queued")
	h.rdb.PExpire(t.Context(), record, time.Hour)
	payload := fmt.Sprintf(`{"v":1,"message_id":"<old@acme.example>","enqueued_at":%d,"id":"old","tenant":"acme","subject":"alt",`+
		`"to":[{"address":"a@example.org"}],"text_len":9}`+"\nGuten Tag", now)
	h.enqueue(asynq.NewTask(queue.TaskType, []byte(payload), asynq.TaskID("old")))
	h.server.Once(smtptest.RCPT, smtptest.Reply(451, "4.3.0 later"))
	h.start()
	h.next("deferred")
	h.next("accepted")
	h.eventually("the task is gone", func() bool {
		keys := h.rdb.Keys(t.Context(), "asynq:{default}:t:*").Val()
		return len(keys) == 0
	})
	if st := h.status("old"); st.Tenant != "acme" || st.State != rohrpost.Accepted || st.Attempts != 2 || st.MessageID != "<old@acme.example>" {
		t.Errorf("%+v", st)
	}
	if diff := cmp.Diff([]string{record}, h.rdb.Keys(t.Context(), "rohrpost:job:*").Val()); diff != "" {
		t.Error(diff)
	}
	again, err := h.mail.Send(t.Context(), rohrpost.Message{ID: "old", Tenant: "acme", To: to("a@example.org"), Text: "x"})
	if want := (rohrpost.Receipt{ID: "old", MessageID: "<old@acme.example>", Duplicate: true}); err != nil || again != want {
		t.Errorf("%+v, %v", again, err)
	}
	if n := h.server.Taken(); n != 1 {
		t.Errorf("%d mails", n)
	}
	if _, err := h.mail.ForTenant("globex").Status(t.Context(), "old"); !errors.Is(err, producer.ErrNotFound) {
		t.Error(err)
	}
}
