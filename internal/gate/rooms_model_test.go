package gate

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A model is one account as it should be: what the scripts do, told in lists of
// moments. It also keeps what the server may have seen, by which the limits are
// judged without any buckets.
type model struct {
	t      *testing.T
	rooms  *rooms
	rand   *rand.Rand
	at     int64 // Unix ms
	trace  []string
	limits Limits

	account    string
	recipients map[Mail]int
	room       map[Mail]float64
	held       map[Mail]*place
	known      map[Mail]int // recipients of mails that were refused
	ended      []ending     // as the scripts count them

	hand map[Mail]float64 // pulled by a worker that lives, with the place
	way  map[Mail]int64   // let through to the server, and since when
	seen []ending         // by the server, at the latest
	done map[Mail]bool
	told bool // the limits are known
}

type place struct {
	until   int64
	n       int
	entered bool
	score   float64
}

type ending struct {
	at int64
	n  int
}

func newModel(t *testing.T, rdb redis.UniversalClient, seed, world uint64) *model {
	m := &model{
		t: t, rand: rand.New(rand.NewPCG(seed, world)), at: 1_763_785_200_000, account: fmt.Sprintf("user/a}{/%d", world),
		recipients: map[Mail]int{}, room: map[Mail]float64{}, held: map[Mail]*place{}, known: map[Mail]int{},
		hand: map[Mail]float64{}, way: map[Mail]int64{}, done: map[Mail]bool{},
	}
	m.rooms = &rooms{rdb: rdb, now: func() time.Time { return time.UnixMilli(m.at) }}
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
		due = max(due, m.at+1000) // those under way are in the way
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
	for _, h := range m.held {
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

// purge ends the time under way of mails.
func (m *model) purge(own Mail) {
	for mail, h := range m.held {
		if h.until > m.at || mail == own {
			continue
		}
		delete(m.held, mail)
		if h.entered {
			m.ended = append(m.ended, ending{m.at, h.n})
		} else {
			m.room[mail] = h.score
		}
	}
}

// order is who stands in the room.
func (m *model) order() []Mail {
	return slices.SortedFunc(maps.Keys(m.room), func(a, b Mail) int {
		return cmp.Or(cmp.Compare(m.room[a], m.room[b]), cmp.Compare(a.String(), b.String()))
	})
}

func (m *model) enter(mail Mail) bool {
	n := m.recipients[mail]
	m.purge(mail)
	own, first := m.held[mail], m.order()
	delete(m.held, mail)
	behind := !m.limits.none() && own == nil && len(first) > 0 && first[0] != mail && first[0].class() <= mail.class()
	moment := m.due(n)
	free := moment == m.at
	want := own != nil && own.entered || free && !behind
	ok, due, err := m.rooms.enter(m.t.Context(), m.account, m.limits, mail, n)
	m.must(err)
	m.told = true
	m.logf("enter %s (%d recipients): %v, due %d", mail, n, ok, due.UnixMilli())
	if ok != want {
		m.fail("enter %s: %v, held %+v, behind %v, free %v", mail, ok, own, behind, free)
	}
	delete(m.hand, mail)
	if ok {
		delete(m.room, mail)
		delete(m.known, mail)
		if delete(m.held, mail); !m.limits.none() {
			m.held[mail] = &place{until: m.at + 60_000, n: n, entered: true}
		}
		m.way[mail] = m.at
		m.sound()
		return true
	}
	m.comes(mail, own)
	if n > 1 {
		m.known[mail] = n
	}
	if due.UnixMilli() != moment {
		m.fail("due %d, want %d", due.UnixMilli(), moment)
	}
	return false
}

// comes puts a mail into the room.
func (m *model) comes(mail Mail, own *place) {
	if _, there := m.room[mail]; there {
		return
	}
	m.room[mail] = float64(mail.class())*1e13 + float64(m.at)
	if own != nil {
		m.room[mail] = own.score
	}
}

func (m *model) leave(mail Mail, counted bool) {
	m.purge(mail)
	n := 1
	if h := m.held[mail]; h != nil {
		n = h.n
	}
	if counted {
		m.ended = append(m.ended, ending{m.at, n})
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
	}
	delete(m.held, mail)
	delete(m.known, mail)
	delete(m.way, mail)
	m.must(m.rooms.leave(m.t.Context(), m.account, mail, counted))
	m.logf("leave %s: %v", mail, counted)
}

func (m *model) join(mail Mail) {
	own := m.held[mail]
	if own != nil && own.entered {
		m.purge(mail)
		m.ended = append(m.ended, ending{m.at, own.n})
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
		own = nil
	}
	delete(m.held, mail)
	delete(m.way, mail)
	delete(m.hand, mail)
	m.comes(mail, own)
	m.must(m.rooms.join(m.t.Context(), m.account, mail, time.UnixMilli(m.at+m.rand.Int64N(5000))))
	m.logf("join %s", mail)
}

func (m *model) pull(n int) []waiting {
	m.purge(Mail{})
	var want []waiting
	for _, mail := range m.order() {
		need := max(1, m.known[mail])
		if len(want) == n || m.due(need) > m.at {
			break
		}
		want = append(want, waiting{mail, m.room[mail]})
		m.held[mail] = &place{until: m.at + 60_000, n: need, score: m.room[mail]}
		delete(m.room, mail)
		m.hand[mail] = want[len(want)-1].score
	}
	if m.rand.IntN(2) == 0 { // the index has led here
		_, err := m.rooms.due(m.t.Context(), 1000)
		m.must(err)
	}
	q := pullRequest{account: m.account, n: n}
	if !m.told || m.rand.IntN(2) == 0 {
		q.limits, m.told = &m.limits, true
	}
	answer, err := m.rooms.pull(m.t.Context(), []pullRequest{q})
	m.must(err)
	p := answer[0]
	m.logf("pull %d: %v, %d left, due %d", n, p.mails, p.left, p.due.UnixMilli())
	if !slices.Equal(p.mails, want) || p.left != len(m.room) {
		m.fail("pulled %v, want %v; %d left, want %d", p.mails, want, p.left, len(m.room))
	}
	moment := time.Time{}
	if order := m.order(); len(order) > 0 {
		if due := m.due(max(1, m.known[order[0]])); due > m.at {
			moment = time.UnixMilli(due)
		}
	}
	if !p.due.Equal(moment) {
		m.fail("due %d, want %d", p.due.UnixMilli(), moment.UnixMilli())
	}
	return p.mails
}

func (m *model) back(mail Mail) {
	score := m.hand[mail]
	delete(m.hand, mail)
	delete(m.held, mail)
	if _, there := m.room[mail]; !there {
		m.room[mail] = score
	}
	m.must(m.rooms.back(m.t.Context(), m.account, []waiting{{mail, score}}))
	m.logf("back %s", mail)
}
