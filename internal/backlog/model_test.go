package backlog

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
)

// A model is one account as it should be: what the scripts do, told in lists of
// moments. It also keeps what the server may have seen, by which the limits are
// judged without any buckets.
type model struct {
	t      *testing.T
	store  *Store
	rand   *rand.Rand
	at     int64 // Unix ms
	trace  []string
	limits Limits

	account    string
	recipients map[queue.Ref]int
	waiting    map[queue.Ref]float64
	inflight   map[queue.Ref]*place
	known      map[queue.Ref]int // recipients of mails that were refused
	ended      []ending          // as the scripts count them

	received map[queue.Ref]float64 // received by a worker that lives, with the place
	way      map[queue.Ref]int64   // let through to the server, and since when
	seen     []ending              // by the server, at the latest
	done     map[queue.Ref]bool
	told     bool // the limits are known
}

type place struct {
	until    int64
	n        int
	acquired bool
	score    float64
}

type ending struct {
	at int64
	n  int
}

func newModel(t *testing.T, rdb redis.UniversalClient, seed, world uint64) *model {
	m := &model{
		t: t, rand: rand.New(rand.NewPCG(seed, world)), at: 1_763_785_200_000, account: fmt.Sprintf("user/a}{/%d", world),
		recipients: map[queue.Ref]int{}, waiting: map[queue.Ref]float64{}, inflight: map[queue.Ref]*place{}, known: map[queue.Ref]int{},
		received: map[queue.Ref]float64{}, way: map[queue.Ref]int64{}, done: map[queue.Ref]bool{},
	}
	m.store = New(rdb, func() time.Time { return time.UnixMilli(m.at) })
	m.at += m.rand.Int64N(1e9)
	switch world % 5 {
	case 0:
		m.limits.PerMinute = 1 + m.rand.IntN(6)
	case 1:
		m.limits.PerHour = 1 + m.rand.IntN(6)
	case 2:
		m.limits.PerDay, m.limits.RecipientsPerDay = 1+m.rand.IntN(6), 1+m.rand.IntN(12)
	case 3:
		m.limits = Limits{PerMinute: 3, PerHour: 6, PerDay: 9, RecipientsPerDay: 15}
	}
	return m
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	for _, line := range m.trace[max(0, len(m.trace)-40):] {
		m.t.Log(line)
	}
	m.t.Fatalf(fmt.Sprintf("%s %+v at %d: ", m.account, m.limits, m.at)+format, args...)
}

func (m *model) logf(format string, args ...any) {
	m.trace = append(m.trace, fmt.Sprintf("%d ", m.at)+fmt.Sprintf(format, args...))
}

func (m *model) must(err error) {
	m.t.Helper()
	if err != nil {
		m.fail("%v", err)
	}
}

// windows calls f for each limit with its length in ms.
func (m *model) windows(f func(limit int, length int64, recipients bool)) {
	for i, limit := range []int{m.limits.PerMinute, m.limits.PerHour, m.limits.PerDay, m.limits.RecipientsPerDay} {
		if limit > 0 {
			f(limit, []int64{60_000, 3_600_000, 86_400_000, 86_400_000}[i], i == 3)
		}
	}
}

// due is when one more mail may go if nothing else happens; now if it may at once.
func (m *model) due(n int) int64 {
	due := m.at
	m.windows(func(limit int, length int64, recipients bool) {
		bucket := length / 60
		moments := []int64{m.at}
		for _, e := range m.ended {
			moments = append(moments, (e.at/bucket+61)*bucket)
		}
		slices.Sort(moments)
		for _, at := range moments {
			if at >= m.at && m.fits(at, limit, bucket, recipients, n) {
				due = max(due, at)
				return
			}
		}
		due = max(due, m.at+1000) // those in flight are in the way
	})
	return due
}

func (m *model) fits(at int64, limit int, bucket int64, recipients bool, n int) bool {
	taken, need := 0, 1
	weigh := func(n int) {
		if !recipients {
			n = 1
		}
		taken += n
	}
	for _, e := range m.ended {
		if at/bucket-e.at/bucket <= 60 {
			weigh(e.n)
		}
	}
	for _, h := range m.inflight {
		weigh(h.n)
	}
	if recipients {
		need = min(n, limit)
	}
	return taken+need <= limit
}

// sound judges what the server may have seen: all that are under way, and what has
// ended within the window.
func (m *model) sound() {
	m.windows(func(limit int, length int64, recipients bool) {
		mails, all := len(m.way), 0
		for mail := range m.way {
			all += m.recipients[mail]
		}
		for _, e := range m.seen {
			if e.at > m.at-length {
				mails++
				all += e.n
			}
		}
		if recipients && all > limit && mails > 1 || !recipients && mails > limit {
			m.fail("%d mails to %d recipients within %d ms", mails, all, length)
		}
	})
}

// purge ends the time in flight of mails.
func (m *model) purge(own queue.Ref) {
	for mail, h := range m.inflight {
		if h.until > m.at || mail == own {
			continue
		}
		delete(m.inflight, mail)
		if h.acquired {
			m.ended = append(m.ended, ending{m.at, h.n})
		} else {
			m.waiting[mail] = h.score
		}
	}
}

// order is who waits in the backlog.
func (m *model) order() []queue.Ref {
	return slices.SortedFunc(maps.Keys(m.waiting), func(a, b queue.Ref) int {
		return cmp.Or(cmp.Compare(m.waiting[a], m.waiting[b]), cmp.Compare(Member(a), Member(b)))
	})
}

func (m *model) acquire(mail queue.Ref) bool {
	n := m.recipients[mail]
	m.purge(mail)
	own, first := m.inflight[mail], m.order()
	delete(m.inflight, mail)
	behind := !m.limits.None() && own == nil && len(first) > 0 && first[0] != mail && class(first[0]) <= class(mail)
	moment := m.due(n)
	free := moment == m.at
	want := own != nil && own.acquired || free && !behind
	ok, due, err := m.store.Acquire(m.t.Context(), m.account, m.limits, mail, n)
	m.must(err)
	m.told = true
	m.logf("acquire %s (%d recipients): %v, due %d", mail, n, ok, due.UnixMilli())
	if ok != want {
		m.fail("acquire %s: %v, in flight %+v, behind %v, free %v", mail, ok, own, behind, free)
	}
	delete(m.received, mail)
	if ok {
		delete(m.waiting, mail)
		delete(m.known, mail)
		if delete(m.inflight, mail); !m.limits.None() {
			m.inflight[mail] = &place{until: m.at + 60_000, n: n, acquired: true}
		}
		m.way[mail] = m.at
		m.sound()
		return true
	}
	m.put(mail, own)
	if n > 1 {
		m.known[mail] = n
	}
	if due.UnixMilli() != moment {
		m.fail("due %d, want %d", due.UnixMilli(), moment)
	}
	return false
}

// comes puts a mail into the backlog.
func (m *model) put(mail queue.Ref, own *place) {
	if _, there := m.waiting[mail]; there {
		return
	}
	m.waiting[mail] = float64(class(mail))*1e13 + float64(m.at)
	if own != nil {
		m.waiting[mail] = own.score
	}
}

func (m *model) release(mail queue.Ref, counted bool) {
	m.purge(mail)
	n := 1
	if h := m.inflight[mail]; h != nil {
		n = h.n
	}
	if counted {
		m.ended = append(m.ended, ending{m.at, n})
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
	}
	delete(m.inflight, mail)
	delete(m.known, mail)
	delete(m.way, mail)
	m.must(m.store.Release(m.t.Context(), m.account, mail, counted))
	m.logf("release %s: %v", mail, counted)
}

func (m *model) enqueue(mail queue.Ref) {
	own := m.inflight[mail]
	if own != nil && own.acquired {
		m.purge(mail)
		m.ended = append(m.ended, ending{m.at, own.n})
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
		own = nil
	}
	delete(m.inflight, mail)
	delete(m.way, mail)
	delete(m.received, mail)
	m.put(mail, own)
	m.must(m.store.Enqueue(m.t.Context(), m.account, mail, time.UnixMilli(m.at+m.rand.Int64N(5000)), "busy"))
	m.logf("enqueue %s", mail)
}

func (m *model) receive(n int) []Waiting {
	m.purge(queue.Ref{})
	var want []Waiting
	for _, mail := range m.order() {
		need := max(1, m.known[mail])
		if len(want) == n || m.due(need) > m.at {
			break
		}
		want = append(want, Waiting{mail, m.waiting[mail]})
		m.inflight[mail] = &place{until: m.at + 60_000, n: need, score: m.waiting[mail]}
		delete(m.waiting, mail)
		m.received[mail] = want[len(want)-1].score
	}
	if m.rand.IntN(2) == 0 { // the index has led here
		_, err := m.store.Due(m.t.Context(), 1000)
		m.must(err)
	}
	q := Request{Account: m.account, N: n}
	if !m.told || m.rand.IntN(2) == 0 {
		q.Limits, m.told = &m.limits, true
	}
	answer, err := m.store.Receive(m.t.Context(), []Request{q})
	m.must(err)
	p := answer[0]
	m.logf("receive %d: %v, %d left, due %d", n, p.Mails, p.Left, p.Due.UnixMilli())
	if !slices.Equal(p.Mails, want) || p.Left != len(m.waiting) {
		m.fail("received %v, want %v; %d left, want %d", p.Mails, want, p.Left, len(m.waiting))
	}
	moment := time.Time{}
	if order := m.order(); len(order) > 0 {
		if due := m.due(max(1, m.known[order[0]])); due > m.at {
			moment = time.UnixMilli(due)
		}
	}
	if !p.Due.Equal(moment) {
		m.fail("due %d, want %d", p.Due.UnixMilli(), moment.UnixMilli())
	}
	return p.Mails
}

func (m *model) nack(mail queue.Ref) {
	score := m.received[mail]
	delete(m.received, mail)
	delete(m.inflight, mail)
	if _, there := m.waiting[mail]; !there {
		m.waiting[mail] = score
	}
	m.must(m.store.Nack(m.t.Context(), m.account, Waiting{mail, score}))
	m.logf("nack %s", mail)
}
