package producer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

func TestBatchVerdicts(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	mustSend(t, client, mail(), producer.WithID("known"))
	batch := make([]rohrpost.Message, 6)
	for i := range batch {
		batch[i] = mail()
	}
	batch[1].To = nil
	batch[2].ID = "known"
	batch[3].ID, batch[3].Tenant = "known", "evil"
	batch[4].ID = "new"
	batch[5].ID = "new" // within the batch

	results, err := client.SendBatch(t.Context(), batch)
	if len(results) != len(batch) {
		t.Fatalf("%d results", len(results))
	}
	for i, want := range []struct {
		field     string
		duplicate bool
	}{{}, {field: "to"}, {duplicate: true}, {}, {}, {duplicate: true}} {
		var problem *rohrpost.FieldError
		switch r := results[i]; {
		case want.field != "":
			if !errors.As(r.Err, &problem) || problem.Field != want.field {
				t.Errorf("message %d: %+v", i, r)
			}
		case r.Err != nil || r.Receipt.ID == "" || r.Receipt.MessageID == "" || r.Receipt.Duplicate != want.duplicate:
			t.Errorf("message %d: %+v", i, r)
		}
	}
	if want := "1 of 6 messages were not accepted; message 1: to: no recipients"; err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if !errors.Is(err, results[1].Err) && !errors.As(err, new(rohrpost.FieldErrors)) {
		t.Errorf("%v does not wrap the first refusal", err)
	}
	if got := tasks(t, rdb); len(got) != 4 {
		t.Errorf("tasks %q", got)
	}
}

func TestBatchRoundTrips(t *testing.T) {
	t.Parallel()
	batch := func(n int, change func(int, *rohrpost.Message)) []rohrpost.Message {
		out := make([]rohrpost.Message, n)
		for i := range out {
			out[i] = mail()
			if change != nil {
				change(i, &out[i])
			}
		}
		return out
	}
	pdf := []byte("the same file")
	big := make([]byte, 3<<20)
	tests := []struct {
		name      string
		batch     []rohrpost.Message
		pipelines int64
	}{
		{"none", nil, 0},
		{"one", batch(1, nil), 1},
		{"thousand", batch(1000, nil), 1},
		{"a thousand and one", batch(1001, nil), 2},
		{"all refused", batch(3, func(_ int, m *rohrpost.Message) { m.To = nil }), 0},
		{"own ids", batch(100, func(i int, m *rohrpost.Message) { m.ID = fmt.Sprint("id.", i) }), 2},
		{"a file in each", batch(100, func(_ int, m *rohrpost.Message) {
			m.Attachments = []rohrpost.Attachment{{Name: "a.pdf", Content: pdf}}
		}), 3},
		{"the same large file in each", batch(50, func(_ int, m *rohrpost.Message) {
			m.Attachments = []rohrpost.Attachment{{Name: "a.pdf", Content: big}}
		}), 3},
		{"4 MiB each", batch(2, func(_ int, m *rohrpost.Message) { m.Text = strings.Repeat("x", 4<<20) }), 5}, // the second one is there
	}
	client, rdb := newClient(t, producer.Options{})
	warm := mail()
	warm.ID, warm.Attachments = "warm", []rohrpost.Attachment{{Name: "a", Content: []byte("warm")}}
	mustSend(t, client, warm) // connects and loads the scripts
	mustSend(t, client, warm)
	count := new(counter)
	rdb.AddHook(count)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			count.commands.Store(0)
			count.pipelines.Store(0)
			_, _ = client.SendBatch(t.Context(), tt.batch)
			if got := count.pipelines.Load(); got != tt.pipelines || count.commands.Load() != 0 {
				t.Errorf("%d pipelines and %d commands, want %d and none", got, count.commands.Load(), tt.pipelines)
			}
		})
	}
}

func TestBatchOfTenThousand(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	const n = 10_000
	batch := make([]rohrpost.Message, n)
	for i := range batch {
		batch[i] = mail()
		batch[i].Subject = fmt.Sprint("Nr. ", i)
	}
	results, err := client.SendBatch(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool, n)
	for i, r := range results {
		if seen[r.Receipt.ID] || r.Receipt.Duplicate || strings.Contains(r.Receipt.ID, "-") {
			t.Fatalf("receipt %d: %+v", i, r.Receipt)
		}
		seen[r.Receipt.ID] = true
	}
	if got := rdb.LLen(t.Context(), "asynq:{default}:pending").Val(); got != n {
		t.Errorf("%d tasks", got)
	}
	for _, i := range []int{0, 999, 1000, n - 1} {
		if job := queued(t, rdb, "default", results[i].Receipt.ID); job.Subject != batch[i].Subject {
			t.Errorf("receipt %d belongs to %q", i, job.Subject)
		}
	}
}
