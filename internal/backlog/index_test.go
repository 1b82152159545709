package backlog

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestIndex(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	wants := func(h *shop, want time.Duration, there bool) {
		h.t.Helper()
		if got, ok := h.dueIn(); ok != there || got != want && there {
			h.t.Errorf("due in %v (%v), want %v (%v)", got, ok, want, there)
		}
	}
	for name, test := range map[string]func(h *shop){
		"the earliest moment counts": func(h *shop) {
			h.enqueues("bulk/1", time.Minute)
			h.enqueues("bulk/2", time.Hour)
			wants(h, time.Minute, true)
			h.enqueues("bulk/3", time.Second)
			wants(h, time.Second, true)
			if len(h.looks(9)) != 0 {
				t.Error("due too early")
			}
		},
		"a look that empties the backlog waits for its mails": func(h *shop) {
			h.enqueues("bulk/1", time.Second)
			h.pass(time.Second)
			h.wants(h.looks(9)[0].Mails, "bulk/1")
			wants(h, time.Minute, true)
			h.pass(time.Minute) // the process that received it has died
			h.wants(h.looks(9)[0].Mails, "bulk/1")
		},
		"when they are acknowledged, the next look removes it": func(h *shop) {
			h.enqueues("bulk/1", time.Second)
			h.pass(time.Second)
			h.acks(h.looks(9)[0])
			h.pass(time.Minute)
			h.wants(h.looks(9)[0].Mails)
			wants(h, 0, false)
		},
		"a late word of another's landing takes nothing away": func(h *shop) {
			h.enqueues("bulk/1", 0)
			first := h.receives(9)
			h.pass(time.Minute) // the process that received it is frozen, and others go on
			h.wants(h.receives(9).Mails, "bulk/1")
			h.acks(first)
			h.pass(time.Minute) // and they die
			h.wants(h.receives(9).Mails, "bulk/1")
		},
		"a look that leaves some comes again": func(h *shop) {
			h.enqueues("bulk/1", 0)
			h.enqueues("bulk/2", 0)
			h.looks(1)
			wants(h, time.Second, true)
			h.enqueues("bulk/3", time.Minute)
			wants(h, time.Second, true)
			h.enqueues("bulk/4", time.Second/2)
			wants(h, time.Second/2, true)
		},
		"a look at nothing passes it on": func(h *shop) {
			h.enqueues("bulk/1", 0)
			h.looks(0)
			wants(h, time.Second, true)
		},
		"a process that receives by the way leaves it to the next look": func(h *shop) {
			h.enqueues("bulk/1", time.Second)
			h.receives(9)
			wants(h, time.Second, true)
			h.pass(time.Second)
			h.looks(9)
			wants(h, 59*time.Second, true)
		},
		"a mail after the look keeps the entry": func(h *shop) {
			h.enqueues("bulk/1", 0)
			accounts, err := h.Due(t.Context(), 9)
			h.must(err)
			other := newShop(t, h.rdb)
			other.receives(9)
			listed := h.takeListed([]Request{{Account: accounts[0]}})
			other.enqueues("bulk/2", 0) // at the same moment as before
			h.must(h.looked(t.Context(), []look{{account: acme, seen: listed[0]}}))
			if _, ok := h.dueIn(); !ok {
				t.Error("the backlog is lost")
			}
			h.wants(h.looks(9)[0].Mails, "bulk/2")
		},
		"a mail before the answer keeps the entry": func(h *shop) {
			h.enqueues("bulk/1", 0)
			_, err := h.Due(t.Context(), 9)
			h.must(err)
			other := newShop(t, h.rdb)
			other.enqueues("bulk/2", -time.Second) // earlier
			h.wants(h.receives(9).Mails, "bulk/1", "bulk/2")
			other.enqueues("bulk/3", time.Hour)
			h.looks(9)
			wants(h, time.Minute, true)
		},
		"a lost entry comes back with the same mail": func(h *shop) {
			h.enqueues("bulk/1", 0)
			h.must(h.rdb.Del(t.Context(), indexKey).Err())
			h.enqueues("bulk/1", 2*time.Second)
			wants(h, 2*time.Second, true)
		},
		"mails that come back are looked at soon": func(h *shop) {
			h.enqueues("bulk/1", 0)
			h.must(h.Nack(t.Context(), acme, h.looks(9)[0].Mails...))
			wants(h, time.Second, true)
		},
		"who was granted a place and does not enter comes back": func(h *shop) {
			l := Limits{PerHour: 2}
			h.acquires(l, "default/1", 1)
			h.enqueues("default/2", 0)
			h.looks(9)
			wants(h, time.Minute, true)
			h.pass(time.Minute)
			h.wants(h.looks(9)[0].Mails, "default/2")
		},
		"a backlog of a rate is looked at when there is a place": func(h *shop) {
			l := Limits{PerMinute: 1}
			h.acquires(l, "default/1", 1)
			h.releases("default/1", true)
			if due := h.acquires(l, "default/2", 1); due != 60500*time.Millisecond { // bucket …200, seen at …200.5
				t.Errorf("due in %v", due)
			}
			wants(h, 60500*time.Millisecond, true)
			h.pass(60499 * time.Millisecond)
			if len(h.looks(9)) != 0 {
				t.Error("looked at too early")
			}
			h.pass(time.Millisecond)
			h.wants(h.looks(9)[0].Mails, "default/2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newShop(t, server.Client(t))
			h.must(h.rdb.FlushAll(t.Context()).Err())
			test(h)
		})
	}
}

// TestDueByLot: backlogs that nobody can serve hide no others.
func TestDueByLot(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	for i := range 20 {
		h.must(h.Announce(t.Context(), fmt.Sprint("tenant/", i), h.at.Add(time.Duration(i)*time.Second)))
	}
	h.pass(14 * time.Second)
	seen := map[string]bool{}
	for range 200 {
		accounts, err := h.Due(t.Context(), 4)
		h.must(err)
		if len(accounts) != 4 {
			t.Fatalf("%v", accounts)
		}
		for _, a := range accounts {
			seen[a] = true
		}
	}
	if len(seen) != 15 {
		t.Errorf("%d backlogs were ever listed, want 15", len(seen))
	}
}
