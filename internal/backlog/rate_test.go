package backlog

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestRates are the rules one by one. The clock stands half a second after a full
// minute, ten minutes after the beginning of a 24-minute bucket.
func TestRates(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one := Limits{PerMinute: 1}
	people := Limits{RecipientsPerDay: 10}
	goes := func(h *shop, l Limits, mail string, recipients int) {
		h.t.Helper()
		if due := h.acquires(l, mail, recipients); due != 0 {
			h.t.Errorf("%s is refused for %v", mail, due)
		}
	}
	waits := func(h *shop, l Limits, mail string, recipients int, want time.Duration) {
		h.t.Helper()
		if due := h.acquires(l, mail, recipients); due != want {
			h.t.Errorf("%s waits for %v, want %v", mail, due, want)
		}
	}
	sends := func(h *shop, l Limits, mail string, recipients int) {
		h.t.Helper()
		goes(h, l, mail, recipients)
		h.releases(mail, true)
	}
	const sixtyOne = 60500 * time.Millisecond
	for name, test := range map[string]func(h *shop){
		"a place is taken while a mail is under way": func(h *shop) {
			goes(h, one, "default/1", 1)
			waits(h, one, "default/2", 1, time.Second)
			h.holds("default/2")
		},
		"and for 60 s after its end, not its beginning": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.pass(50 * time.Second)
			h.releases("default/1", true)
			waits(h, one, "default/2", 1, sixtyOne)
			h.pass(sixtyOne - time.Millisecond)
			waits(h, one, "default/2", 1, time.Millisecond)
			h.pass(time.Millisecond)
			goes(h, one, "default/2", 1)
			h.holds()
		},
		"per hour": func(h *shop) {
			sends(h, Limits{PerHour: 1}, "default/1", 1)
			waits(h, Limits{PerHour: 1}, "default/2", 1, 61*time.Minute-500*time.Millisecond)
		},
		"per day": func(h *shop) {
			sends(h, Limits{PerDay: 1}, "default/1", 1)
			waits(h, Limits{PerDay: 1}, "default/2", 1, 24*time.Hour+4*time.Minute-500*time.Millisecond)
		},
		"the narrowest window decides": func(h *shop) {
			l := Limits{PerMinute: 1, PerHour: 1, PerDay: 5}
			sends(h, l, "default/1", 1)
			waits(h, l, "default/2", 1, 61*time.Minute-500*time.Millisecond)
		},
		"the place that is free first counts": func(h *shop) {
			l := Limits{PerMinute: 2}
			sends(h, l, "default/1", 1)
			h.pass(10 * time.Second)
			sends(h, l, "default/2", 1)
			waits(h, l, "default/3", 1, sixtyOne-10*time.Second)
		},
		"a mail that the server has not seen does not count": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.releases("default/1", false)
			goes(h, one, "default/2", 1)
		},
		"enter repeated": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.pass(59 * time.Second)
			goes(h, one, "default/1", 1)
			h.pass(59 * time.Second) // the time under way began anew
			waits(h, one, "default/2", 1, time.Second)
			h.releases("default/1", false)
			goes(h, one, "default/2", 1)
		},
		"leave repeated counts twice": func(h *shop) {
			l := Limits{PerMinute: 2}
			sends(h, l, "default/1", 1)
			h.pass(2 * time.Second)
			h.releases("default/1", true)
			waits(h, l, "default/2", 1, sixtyOne-2*time.Second)
		},
		"a dead worker's mail counts when its time is over": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.pass(60 * time.Second)
			waits(h, one, "default/2", 1, sixtyOne)
		},
		"a slow mail counts twice": func(h *shop) {
			l := Limits{PerMinute: 2}
			goes(h, l, "default/1", 1)
			h.pass(60 * time.Second)
			goes(h, l, "default/2", 1)
			h.releases("default/2", false)
			h.releases("default/1", true)
			waits(h, l, "default/3", 1, sixtyOne)
		},
		"a received mail has its place": func(h *shop) {
			goes(h, one, "default/1", 1)
			waits(h, one, "default/2", 1, time.Second)
			waits(h, one, "default/3", 1, time.Second)
			if p := h.receives(9); len(p.Mails) != 0 || p.Left != 2 || p.Due.Sub(h.at) != time.Second {
				t.Errorf("%+v", p)
			}
			h.releases("default/1", false)
			p := h.receives(9)
			h.wants(p.Mails, "default/2")
			if p.Left != 1 || p.Due.Sub(h.at) != time.Second {
				t.Errorf("%+v", p)
			}
			waits(h, one, "critical/4", 1, time.Second)
			goes(h, one, "default/2", 1)
		},
		"those in the backlog go before newcomers of their class": func(h *shop) {
			goes(h, one, "default/1", 1)
			waits(h, one, "default/2", 1, time.Second)
			h.releases("default/1", false)
			waits(h, one, "default/3", 1, 1)
			waits(h, one, "bulk/4", 1, 1)
			h.holds("default/2", "default/3", "bulk/4")
			goes(h, one, "critical/5", 1)
			h.releases("critical/5", false)
			goes(h, one, "default/2", 1) // first in the backlog: not a newcomer
			h.releases("default/2", false)
			waits(h, one, "bulk/4", 1, 1)
			h.holds("default/3", "bulk/4")
		},
		"a mail that returns gives up its place and keeps that in the backlog": func(h *shop) {
			sends(h, Limits{PerMinute: 2}, "default/1", 1)
			h.enqueues("default/2", 0)
			h.pass(time.Millisecond)
			h.enqueues("default/3", 0)
			h.wants(h.receives(1).Mails, "default/2")
			h.enqueues("default/2", 0)
			h.holds("default/2", "default/3")
			p := h.receives(1)
			h.wants(p.Mails, "default/2")
			h.must(h.Nack(h.t.Context(), acme, p.Mails...))
			h.wants(h.receives(1).Mails, "default/2")
		},
		"back does not touch a mail that has entered": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.must(h.Nack(h.t.Context(), acme, Waiting{ParseMember("default/1"), 1e13}))
			h.holds()
			waits(h, one, "critical/2", 1, time.Second)
		},
		"a mail that is enqueued without its release counts": func(h *shop) {
			goes(h, one, "default/1", 1)
			h.enqueues("default/1", 0)
			h.holds("default/1")
			waits(h, one, "default/1", 1, sixtyOne)
		},
		"recipients": func(h *shop) {
			sends(h, people, "default/1", 6)
			goes(h, people, "default/2", 3)
			waits(h, people, "default/3", 2, 24*time.Hour+4*time.Minute-500*time.Millisecond)
			h.releases("default/2", false)
			goes(h, people, "default/3", 4)
		},
		"more recipients than a day allows: alone": func(h *shop) {
			sends(h, people, "default/1", 1)
			waits(h, people, "default/2", 50, 24*time.Hour+4*time.Minute-500*time.Millisecond)
			waits(h, people, "default/3", 1, 1) // behind it, or it would wait for ever
			h.pass(24*time.Hour + 4*time.Minute)
			h.wants(h.receives(9).Mails, "default/2")
			goes(h, people, "default/2", 50)
			h.releases("default/2", true)
			waits(h, people, "default/3", 1, 24*time.Hour+24*time.Minute-500*time.Millisecond)
		},
		"a received mail with more recipients than were known": func(h *shop) {
			sends(h, people, "default/1", 8)
			h.enqueues("default/2", 0)
			h.pass(time.Millisecond)
			h.enqueues("default/3", 0)
			h.wants(h.receives(1).Mails, "default/2")
			waits(h, people, "default/2", 3, 24*time.Hour+4*time.Minute-501*time.Millisecond)
			h.holds("default/2", "default/3")
			if p := h.receives(9); len(p.Mails) != 0 {
				t.Errorf("now its recipients are known: %+v", p)
			}
		},
		"new limits are seen by receive": func(h *shop) {
			goes(h, one, "default/1", 1)
			waits(h, one, "default/2", 1, time.Second)
			waits(h, one, "default/3", 1, time.Second)
			h.pass(time.Millisecond)
			waits(h, Limits{PerMinute: 2}, "default/4", 1, 1)
			h.wants(h.receives(9).Mails, "default/2")
			answer, err := h.Receive(h.t.Context(), []Request{{Account: acme, N: 9, Limits: &Limits{}}})
			h.must(err)
			h.wants(answer[0].Mails, "default/3", "default/4")
			goes(h, Limits{}, "bulk/5", 1)
			h.releases("bulk/5", true)
		},
		"a clock that is put back closes the account for a minute": func(h *shop) {
			h.pass(24 * time.Hour)
			sends(h, Limits{PerMinute: 2}, "default/1", 1)
			goes(h, Limits{PerMinute: 2}, "default/2", 1)
			h.pass(-24 * time.Hour)
			waits(h, one, "default/3", 1, time.Second)
			h.pass(61 * time.Second)
			waits(h, one, "default/3", 1, 61*time.Second-500*time.Millisecond)
			h.pass(61 * time.Second)
			goes(h, one, "default/3", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newShop(t, server.Client(t))
			h.must(h.rdb.FlushAll(t.Context()).Err())
			test(h)
		})
	}
}

// TestRateEnds: nothing of an account's rates outlives them for long.
func TestRateEnds(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	l := Limits{PerMinute: 100, PerHour: 1000, PerDay: 1000, RecipientsPerDay: 1000}
	for i := range 400 {
		mail := fmt.Sprint("default/", i)
		h.acquires(l, mail, 2)
		h.releases(mail, true)
		h.pass(7 * time.Minute)
	}
	h.acquires(l, "default/last", 1)
	keys := keys(acme)
	for _, key := range keys[1:] {
		if ttl := h.rdb.PTTL(t.Context(), key).Val(); ttl < 47*time.Hour || ttl > 48*time.Hour {
			t.Errorf("%s ends in %v", key, ttl)
		}
	}
	fields := h.rdb.HGetAll(t.Context(), keys[1]).Val()
	if len(fields) > 5 || len(fields["w3"]) > 61*12 {
		t.Errorf("%d fields, the days: %q", len(fields), fields["w3"])
	}
}

// TestThirtyPerMinute sends 100 mails as fast as 30 a minute allow.
func TestThirtyPerMinute(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	l, asked, gone := Limits{PerMinute: 30}, map[string]int{}, 0
	begin := h.at
	try := func(mail string) {
		asked[mail]++
		if h.acquires(l, mail, 1) == 0 {
			h.pass(50 * time.Millisecond)
			h.releases(mail, true)
			gone++
		}
	}
	for i := range 100 {
		try(fmt.Sprint("default/", i))
	}
	for range 1000 {
		if gone == 100 {
			break
		}
		due, ok := h.dueIn()
		if !ok {
			t.Fatalf("%d mails went, and the backlog is not in the index", gone)
		}
		h.pass(max(0, due))
		for _, p := range h.looks(4) {
			for _, w := range p.Mails {
				try(Member(w.Ref))
			}
		}
	}
	const ideal = 3 * time.Minute // 30 at once, the last ten after three minutes
	if took := h.at.Sub(begin); gone != 100 || took > ideal+ideal/20 {
		t.Errorf("%d mails in %v", gone, took)
	}
	for mail, n := range asked {
		if n > 2 {
			t.Errorf("%s asked %d times", mail, n)
		}
	}
}
