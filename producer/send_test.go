package producer_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer"
)

func TestSendAndStatus(t *testing.T) {
	t.Parallel()
	now := time.Now()
	client, rdb := newClient(t, producer.Options{Now: func() time.Time { return now }})
	m := mail()
	m.Cc = []rohrpost.Address{{Address: "KUNDE@example.org"}, {Address: "kunde@EXAMPLE.org"}}
	m.Metadata = map[string]string{"invoice": "4711"}
	m.Expires = now.Add(time.Hour)
	receipt := mustSend(t, client, m)

	if receipt.Duplicate || len(receipt.ID) != 26 || strings.Contains(receipt.ID, "-") {
		t.Errorf("receipt %+v", receipt)
	}
	want := rohrpost.Status{
		ID: receipt.ID, MessageID: "<" + receipt.ID + "@acme.example>", Tenant: "acme", State: rohrpost.Queued, Queue: "default",
		Recipients: []rohrpost.RecipientStatus{
			{Address: "kunde@example.org", State: rohrpost.RecipientWaiting},
			{Address: "KUNDE@example.org", State: rohrpost.RecipientWaiting},
		},
		EnqueuedAt: now.Truncate(time.Millisecond), Metadata: m.Metadata,
	}
	if diff := cmp.Diff(want, status(t, client, receipt.ID)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if receipt.MessageID != want.MessageID {
		t.Errorf("the receipt's Message-ID is %s", receipt.MessageID)
	}
	job := &payload.Job{Message: m, MessageID: want.MessageID, EnqueuedAt: want.EnqueuedAt}
	job.ID, job.Expires = receipt.ID, m.Expires.Truncate(time.Millisecond)
	if diff := cmp.Diff(job, queued(t, rdb, "default", receipt.ID)); diff != "" {
		t.Errorf("what a worker finds (-want +got):\n%s", diff)
	}
}

func TestPriorityIsTheQueue(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for _, p := range []rohrpost.Priority{"", rohrpost.Critical, rohrpost.Default, rohrpost.Bulk} {
		m := mail()
		m.ID, m.Priority = "prio."+string(p)+"x", p
		mustSend(t, client, m)
	}
	want := []string{"bulk/pending/prio.bulkx,acme", "critical/pending/prio.criticalx,acme", "default/pending/prio.defaultx,acme", "default/pending/prio.x,acme"}
	if diff := cmp.Diff(want, tasks(t, rdb)); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

func TestNotBefore(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	m := mail()
	m.NotBefore = time.Now().Add(time.Hour)
	receipt := mustSend(t, client, m)
	st := status(t, client, receipt.ID)
	if st.State != rohrpost.Scheduled || st.NextAttempt == nil || !st.NextAttempt.Equal(m.NotBefore.Truncate(time.Millisecond)) {
		t.Errorf("status %+v", st)
	}
	if got := tasks(t, rdb); len(got) != 1 || got[0] != "default/scheduled/"+key(receipt.ID) {
		t.Errorf("tasks %q", got)
	}
}

// What is refused leaves nothing in Redis.
func TestRefused(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{MaxSize: 20_000})
	tests := []struct {
		name   string
		change func(*rohrpost.Message)
		field  string
	}{
		{"no recipients", func(m *rohrpost.Message) { m.To = nil }, "to"},
		{"expired", func(m *rohrpost.Message) { m.Expires = time.Now().Add(-time.Second) }, "expires"},
		{"bad id", func(m *rohrpost.Message) { m.ID = "a b" }, "id"},
		{"text too large", func(m *rohrpost.Message) { m.Text = strings.Repeat("x", 20_000) }, "text"},
		{"html too large", func(m *rohrpost.Message) { m.HTML = strings.Repeat("x", 20_000) }, "html"},
		{"attachment too large", func(m *rohrpost.Message) {
			m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 12_000)}} // 16,432 as sent
		}, "attachments"},
		{"attachments too large", func(m *rohrpost.Message) {
			m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 6_000)}, {Name: "b", Content: make([]byte, 6_000)}}
		}, "attachments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mail()
			tt.change(&m)
			receipt, err := client.Send(t.Context(), m)
			var problem *rohrpost.FieldError
			if !errors.As(err, &problem) || problem.Field != tt.field {
				t.Errorf("got %+v, %v; want a refusal of %s", receipt, err, tt.field)
			}
		})
	}
	if n := rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys in Redis", n)
	}
	m := mail()
	m.Attachments = []rohrpost.Attachment{{Name: "a", Content: make([]byte, 9_000)}}
	mustSend(t, client, m)
}

func TestSameIDAgain(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	first := mustSend(t, client, mail(), producer.WithID("invoice-4711"))
	if first.ID != "invoice-4711" || !strings.HasPrefix(first.MessageID, "<invoice-4711.822b33ad87.") || !strings.HasSuffix(first.MessageID, "@acme.example>") || first.Duplicate {
		t.Errorf("first receipt %+v", first)
	}
	again := mail()
	again.Priority, again.NotBefore, again.Expires = rohrpost.Critical, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	second := mustSend(t, client, again, producer.WithID("invoice-4711"))
	if want := (rohrpost.Receipt{ID: first.ID, MessageID: first.MessageID, Duplicate: true}); second != want {
		t.Errorf("second receipt %+v, want %+v", second, want)
	}
	if got := tasks(t, rdb); len(got) != 1 || got[0] != "default/pending/invoice-4711,acme" {
		t.Errorf("tasks %q", got)
	}
	if job := queued(t, rdb, "default", first.ID); !job.NotBefore.IsZero() {
		t.Errorf("the first mail now waits until %v", job.NotBefore)
	}
}

// An ended job is not enqueued again, although asynq has forgotten it.
func TestSameIDAfterTheEnd(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	mustSend(t, client, mail(), producer.WithID("a"))
	if err := client.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if r := mustSend(t, client, mail(), producer.WithID("a")); !r.Duplicate {
		t.Errorf("receipt %+v", r)
	}
	if got := tasks(t, rdb); len(got) != 0 {
		t.Errorf("tasks %q", got)
	}
}

func TestSameIDAtTheSameTime(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	priorities := []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk}
	const senders = 50
	receipts, errs := make([]rohrpost.Receipt, senders), make([]error, senders)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			m := mail()
			m.Priority = priorities[i%len(priorities)]
			receipts[i], errs[i] = client.Send(t.Context(), m, producer.WithID("one"))
		})
	}
	wg.Wait()
	firsts := 0
	for i, r := range receipts {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !r.Duplicate {
			firsts++
		}
		if r.MessageID != receipts[0].MessageID || r.MessageID == "" {
			t.Errorf("receipt %+v", r)
		}
	}
	if firsts != 1 {
		t.Errorf("%d first receipts", firsts)
	}
	if got := tasks(t, rdb); len(got) != 1 {
		t.Errorf("tasks %q", got)
	}
}

// An id belongs to its tenant: others may use it, and each has a mail of its own.
func TestSameIDOfAnotherTenant(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	first := mustSend(t, client, mail(), producer.WithID("a"))
	acme := client.ForTenant("acme")
	before := status(t, acme, "a")
	seen := map[string]bool{first.MessageID: true}
	for _, tenant := range []string{"evil", "ACME", ""} {
		other := mail()
		other.Tenant, other.Metadata = tenant, map[string]string{"k": "v"}
		receipt := mustSend(t, client, other, producer.WithID("a"))
		if receipt.Duplicate || seen[receipt.MessageID] {
			t.Errorf("%q: %+v", tenant, receipt)
		}
		seen[receipt.MessageID] = true
		if again := mustSend(t, client, other, producer.WithID("a")); !again.Duplicate || again.MessageID != receipt.MessageID {
			t.Errorf("%q again: %+v", tenant, again)
		}
	}
	if diff := cmp.Diff(before, status(t, acme, "a")); diff != "" {
		t.Errorf("the first mail was touched:\n%s", diff)
	}
	want := []string{"default/pending/a", "default/pending/a,ACME", "default/pending/a,acme", "default/pending/a,evil"}
	if diff := cmp.Diff(want, tasks(t, rdb)); diff != "" {
		t.Error(diff)
	}
}

// The ledger forgets an ended job before asynq's archive is swept: a new mail of
// that id must not vanish behind the old task.
func TestIDOfAForgottenJob(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	for _, priority := range []rohrpost.Priority{rohrpost.Default, rohrpost.Bulk} {
		id := "old." + string(priority)
		old := mail()
		old.Subject, old.Priority = "alt", priority
		mustSend(t, client, old, producer.WithID(id))
		archive(t, rdb, string(priority), id)
		if err := rdb.Del(t.Context(), record(id)).Err(); err != nil {
			t.Fatal(err)
		}
		again := mail()
		again.Priority = priority
		again.Attachments = []rohrpost.Attachment{{Name: "a.txt", Content: []byte("content")}}
		if r := mustSend(t, client, again, producer.WithID(id)); r.Duplicate {
			t.Errorf("receipt %+v", r)
		}
		job := queued(t, rdb, string(priority), id)
		if job.Subject != "Rechnung" || len(job.Files) != 1 || job.Files[0].Size != 7 {
			t.Errorf("%s in the queue: %+v", id, job)
		}
	}
	if got := tasks(t, rdb); len(got) != 2 || !strings.Contains(got[0], "/pending/") || !strings.Contains(got[1], "/pending/") {
		t.Errorf("tasks %q", got)
	}
}

// The Send that reserved the id died before it enqueued the task. The next one
// does, for the record that stands: same queue, same Message-ID.
func TestReservedAndNotEnqueued(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	sent := mail()
	sent.Attachments = []rohrpost.Attachment{{Name: "a", Content: []byte("a")}}
	first := mustSend(t, client, sent, producer.WithID("a"))
	if err := asynq.NewInspectorFromRedisClient(rdb).DeleteTask("default", key("a")); err != nil {
		t.Fatal(err)
	}
	again := sent
	again.Priority = rohrpost.Bulk
	if r := mustSend(t, client, again, producer.WithID("a")); !r.Duplicate || r.MessageID != first.MessageID {
		t.Errorf("receipt %+v", r)
	}
	if got := tasks(t, rdb); len(got) != 1 {
		t.Errorf("tasks %q", got)
	}
	if job := queued(t, rdb, "default", "a"); job.MessageID != first.MessageID || job.Files[0].Size != 1 {
		t.Errorf("job %+v", job)
	}
}

func TestWakesWorkers(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	sub := rdb.Subscribe(t.Context(), "rohrpost:wake")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := mustSend(t, client, mail()).ID
	if _, err := sub.ReceiveMessage(t.Context()); err != nil {
		t.Fatal(err)
	}
	queued(t, rdb, "default", id) // there before the wake-up
}
