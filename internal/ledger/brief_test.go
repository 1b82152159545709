package ledger_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// TestBriefs finds each tenant's own jobs, those of older versions too, in two round trips.
func TestBriefs(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.reserveOf("acme", "both", false)
	b.reserveOf("globex", "both", false)
	b.reserveOf("acme", "old", true)
	later := b.job("later", 1)
	later.NotBefore = b.now.Add(time.Hour)
	if _, err := b.reserve(later, "nonce"); err != nil {
		t.Fatal(err)
	}
	j := b.reserveOf("acme", "deferred", false)
	b.mustSettle(j, ledger.Settlement{State: rohrpost.Deferred, Counts: true, Next: b.now.Add(time.Minute)})
	names := []ledger.Name{
		{Tenant: "acme", ID: "both"},
		{Tenant: "globex", ID: "both"},
		{Tenant: "", ID: "both"},
		{Tenant: "acme", ID: "old"},
		{Tenant: "globex", ID: "old"},
		{Tenant: "acme", ID: "deferred"},
		{Tenant: later.Tenant, ID: "later"},
		{Tenant: "", ID: "both,acme"},
		{Tenant: "acme", ID: ""},
	}
	trips := b.trips.Load()
	got, err := b.Briefs(t.Context(), names)
	if err != nil {
		t.Fatal(err)
	}
	if n := b.trips.Load() - trips; n > 2 {
		t.Errorf("%d round trips", n)
	}
	queued := &ledger.Brief{State: rohrpost.Queued}
	want := []*ledger.Brief{
		queued, queued, nil, queued, nil,
		{State: rohrpost.Deferred, Attempts: 1, UpdatedAt: b.now, NextAttempt: b.now.Add(time.Minute)},
		{State: rohrpost.Scheduled, NextAttempt: later.NotBefore.Truncate(time.Millisecond)},
		nil, nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestManyBriefs(t *testing.T) {
	t.Parallel()
	b := open(t)
	names := make([]ledger.Name, 2500)
	for i := range names {
		names[i] = ledger.Name{Tenant: "acme", ID: strconv.Itoa(i)}
	}
	b.reserveOf("acme", "2499", false)
	got, err := b.Briefs(t.Context(), names)
	if err != nil || len(got) != len(names) || got[2499] == nil || got[0] != nil {
		t.Errorf("%d, %v", len(got), err)
	}
}
