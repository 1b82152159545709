package breaker_test

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestLastAccepted is when an account had a mail accepted last, in all processes; what
// Redis does not take is written later.
func TestLastAccepted(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	here, there := open(t, rdb), open(t, rdb)
	accept := func(b *breaker.Breaker, account string) {
		b.Record(t.Context(), &breaker.Target{Account: account, Server: "mail.example:465 tls"}, breaker.Result{Accepted: true, Reached: true})
	}
	accept(here, "tenant/acme")
	accept(here, "user/acme/max")
	server.Kill()
	if err := here.NoteAccepted(t.Context()); err == nil {
		t.Error("no error without Redis")
	}
	server.Start()
	for range 2 { // the second time there is nothing to write
		if err := here.NoteAccepted(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	times, err := there.LastAccepted(t.Context(), "tenant/acme", "tenant/none", "user/acme/max")
	if err != nil || len(times) != 3 || time.Since(times[0]) > time.Minute || !times[1].IsZero() || times[2].IsZero() {
		t.Errorf("%v, %v", times, err)
	}
	if none, err := there.LastAccepted(t.Context()); err != nil || none != nil {
		t.Errorf("of no account: %v, %v", none, err)
	}
}
