package backlog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// pick is one of a few mails, by lot.
func pick[V any](m *model, from map[queue.Ref]V) (queue.Ref, bool) {
	mails := slices.SortedFunc(maps.Keys(from), func(a, b queue.Ref) int { return cmp.Compare(Member(a), Member(b)) })
	if len(mails) == 0 {
		return queue.Ref{}, false
	}
	return mails[m.rand.IntN(len(mails))], true
}

func (m *model) newMail() queue.Ref {
	mail := queue.Ref{Queue: []string{"critical", "default", "default", "bulk"}[m.rand.IntN(4)], ID: strconv.Itoa(len(m.recipients))}
	m.recipients[mail] = 1
	if m.limits.RecipientsPerDay > 0 {
		m.recipients[mail] = 1 + m.rand.IntN(4)
		if m.rand.IntN(10) == 0 {
			m.recipients[mail] = m.limits.RecipientsPerDay + 1 + m.rand.IntN(5)
		}
	}
	return mail
}

// pass lets time go by. A mail that would be in flight for too long ends first.
func (m *model) pass() {
	d := []int64{1, 10, 900, 1000, 7000, 30_000, 61_000, 1_800_000, 43_200_000}[m.rand.IntN(9)]
	d += m.rand.Int64N(d)
	for mail, since := range maps.Clone(m.way) {
		if since+60_000 <= m.at+d {
			m.release(mail, true)
			m.done[mail] = true
		}
	}
	m.at += d
}

// crash is the end of the worker that has a mail.
func (m *model) crash(mail queue.Ref) {
	m.logf("the worker with %s dies", mail)
	if _, ok := m.way[mail]; ok {
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
		delete(m.way, mail)
		m.done[mail] = true // whether it goes again is another mail's story
	}
	delete(m.received, mail)
}

func (m *model) step() {
	received, isReceived := pick(m, m.received)
	way, underWay := pick(m, m.way)
	standing, waits := pick(m, m.waiting)
	switch op := m.rand.IntN(20); {
	case op < 3:
		m.acquire(m.newMail())
	case op == 3:
		m.enqueue(m.newMail())
	case op < 6:
		m.receive(m.rand.IntN(4))
	case op < 9 && isReceived:
		m.acquire(received)
	case op < 11 && underWay:
		m.release(way, true)
		m.done[way] = true
	case op == 11 && underWay:
		m.release(way, false)
		m.enqueue(way)
	case op == 12 && underWay:
		m.acquire(way) // the reply was lost
	case op == 13 && underWay && m.rand.IntN(3) == 0:
		m.enqueue(way)
	case op == 14 && isReceived:
		m.nack(received)
	case op == 15 && isReceived:
		m.enqueue(received)
	case op == 16 && isReceived && m.rand.IntN(2) == 0:
		m.crash(received)
	case op == 16 && underWay:
		m.crash(way)
	case op == 17 && waits:
		m.acquire(standing) // its own net has brought it
	default:
		m.pass()
	}
}

// check compares Redis with the model.
func (m *model) check() {
	ctx, keys := m.t.Context(), keys(m.account)
	there, err := m.store.Peek(ctx, m.account, 0, 1000)
	m.must(err)
	order := m.order()
	for i, w := range there {
		if i >= len(order) || w.Ref != order[i] || w.score != m.waiting[w.Ref] {
			m.fail("waiting: %v, want %v %v", there, order, m.waiting)
		}
	}
	flying := m.store.rdb.HGetAll(ctx, keys[2]).Val()
	if len(there) != len(order) || len(flying) != len(m.inflight) {
		m.fail("%d wait, want %d; %v in flight, want %d", len(there), len(order), flying, len(m.inflight))
	}
	expected := len(order) > 0
	for mail, h := range m.inflight {
		expected = expected || !h.acquired
		text := strconv.FormatFloat(h.score, 'f', -1, 64)
		if h.acquired {
			text = "-"
		}
		if want := fmt.Sprintf("%d %d %s", h.until, h.n, text); flying[Member(mail)] != want {
			m.fail("%s is in flight as %q, want %q", mail, flying[Member(mail)], want)
		}
		if _, both := m.waiting[mail]; both {
			m.fail("%s waits and is in flight", mail)
		}
	}
	if err := m.store.rdb.ZScore(ctx, indexKey, m.account).Err(); expected && err != nil {
		m.fail("%d mails wait, %+v are in flight, and the backlog is not in the index", len(order), m.inflight)
	}
}

// drain lets a worker that lives serve the index until nothing is left.
func (m *model) drain() {
	ctx := m.t.Context()
	for received := range maps.Clone(m.received) {
		m.nack(received)
	}
	for way := range maps.Clone(m.way) {
		m.release(way, true)
		m.done[way] = true
	}
	for range 5000 {
		score, err := m.store.rdb.ZScore(ctx, indexKey, m.account).Result()
		if err != nil {
			break
		}
		m.at = max(m.at, int64(score))
		accounts, err := m.store.Due(ctx, 1000)
		m.must(err)
		if !slices.Contains(accounts, m.account) {
			m.fail("not due at %f", score)
		}
		for _, w := range m.receive(3) {
			if m.acquire(w.Ref) {
				m.release(w.Ref, true)
				m.done[w.Ref] = true
			}
		}
		m.check()
	}
	for mail := range m.recipients {
		if !m.done[mail] {
			m.fail("%s is lost", mail)
		}
	}
}

// TestModel lets several workers use a backlog in every order, through days.
func TestModel(t *testing.T) {
	t.Parallel()
	const worlds, steps = 20, 250
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	server := redistest.Start(t)
	for i := range uint64(4) {
		t.Run(strconv.FormatUint(i, 10), func(t *testing.T) {
			t.Parallel()
			rdb := server.Client(t)
			for world := i; world < worlds; world += 4 {
				m := newModel(t, rdb, seed, world)
				for range steps {
					m.step()
					m.check()
				}
				m.drain()
			}
		})
	}
}
