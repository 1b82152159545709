package backlog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestLatest lists the accounts that wait longest first, and counts all.
func TestLatest(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	if list, all, err := h.Latest(t.Context(), 10); err != nil || len(list) != 0 || all != 0 {
		t.Errorf("%v, %d, %v of none", list, all, err)
	}
	now := time.Now().Truncate(time.Millisecond)
	for i, account := range []string{"a", "b", "c"} {
		h.must(h.Enqueue(t.Context(), account, queue.Ref{Queue: "default", ID: "1"}, now.Add(time.Duration(i)*time.Hour), "rate"))
	}
	list, all, err := h.Latest(t.Context(), 2)
	h.must(err)
	want := []Listed{{"c", now.Add(2 * time.Hour)}, {"b", now.Add(time.Hour)}}
	if diff := cmp.Diff(want, list); diff != "" || all != 3 {
		t.Errorf("%d: %s", all, diff)
	}
	mails := map[string]int64{}
	h.must(h.StatsOf(t.Context(), []string{"a", "c", "nobody"}, func(s Stat) { mails[s.Account] = s.Mails }))
	if diff := cmp.Diff(map[string]int64{"a": 1, "c": 1}, mails); diff != "" {
		t.Error(diff)
	}
}

// TestForSettings reads how many mails are remembered, and the newest.
func TestForSettings(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	for _, id := range []string{"1", "2", "3"} {
		h.must(h.WaitForSettings(t.Context(), acme, ParseMember("default/"+id)))
	}
	got, err := h.ForSettings(t.Context(), []string{acme, "nobody"}, 1)
	h.must(err)
	want := map[string]Remembered{acme: {Mails: 3, Newest: []queue.Ref{{Queue: "default", ID: "3"}}}, "nobody": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := h.ForSettings(t.Context(), nil, 1); err != nil || len(got) != 0 {
		t.Errorf("%v, %v of none", got, err)
	}
}
