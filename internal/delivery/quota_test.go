package delivery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

// Reconciling sets right what is counted for a tenant, whichever way it is wrong.
func TestStockCorrectsTheCounters(t *testing.T) {
	t.Parallel()
	w, rdb, _, _ := sweeping(t)
	waiting := func() map[string]quota.Amount {
		t.Helper()
		all, err := w.quota.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	right := waiting()
	if right["acme"].Mails != 1 || right["acme"].Bytes == 0 {
		t.Fatalf("%+v", right)
	}
	const mails, bytes = "rohrpost:quota:{waiting}:mails", "rohrpost:quota:{waiting}:bytes"
	w.now = func() time.Time { return time.Now().Add(time.Hour) }
	again, err := quota.New(quota.Options{Redis: rdb, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.quota = again
	for what, wrong := range map[string]func(){
		"right":                 func() {},
		"too much":              func() { rdb.HSet(t.Context(), mails, "acme", 100); rdb.HSet(t.Context(), bytes, "acme", 1<<40) },
		"nothing":               func() { rdb.Del(t.Context(), mails, bytes) },
		"a tenant without mail": func() { rdb.HSet(t.Context(), mails, "gone", 7); rdb.HSet(t.Context(), bytes, "gone", 7) },
	} {
		wrong()
		if err := w.reconcile(t.Context(), reconcile.Options{Pause: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(right, waiting()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}
