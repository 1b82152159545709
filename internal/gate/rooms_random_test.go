package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// pick is one of a few mails, by lot.
func pick[V any](m *model, from map[Mail]V) (Mail, bool) {
	mails := slices.SortedFunc(maps.Keys(from), func(a, b Mail) int { return cmp.Compare(a.String(), b.String()) })
	if len(mails) == 0 {
		return Mail{}, false
	}
	return mails[m.rand.IntN(len(mails))], true
}

func (m *model) newMail() Mail {
	mail := Mail{[]string{"critical", "default", "default", "bulk"}[m.rand.IntN(4)], strconv.Itoa(len(m.recipients))}
	m.recipients[mail] = 1
	if m.limits.RecipientsPerDay > 0 {
		m.recipients[mail] = 1 + m.rand.IntN(4)
		if m.rand.IntN(10) == 0 {
			m.recipients[mail] = m.limits.RecipientsPerDay + 1 + m.rand.IntN(5)
		}
	}
	return mail
}

// pass lets time go by. Who would be under way for too long leaves first.
func (m *model) pass() {
	d := []int64{1, 10, 900, 1000, 7000, 30_000, 61_000, 1_800_000, 43_200_000}[m.rand.IntN(9)]
	d += m.rand.Int64N(d)
	for mail, since := range maps.Clone(m.way) {
		if since+60_000 <= m.at+d {
			m.leave(mail, true)
			m.done[mail] = true
		}
	}
	m.at += d
}

// crash is the end of the worker that has a mail.
func (m *model) crash(mail Mail) {
	m.logf("the worker with %s dies", mail)
	if _, ok := m.way[mail]; ok {
		m.seen = append(m.seen, ending{m.at, m.recipients[mail]})
		delete(m.way, mail)
		m.done[mail] = true // whether it goes again is another mail's story
	}
	delete(m.hand, mail)
}

func (m *model) step() {
	hand, inHand := pick(m, m.hand)
	way, underWay := pick(m, m.way)
	standing, inRoom := pick(m, m.room)
	switch op := m.rand.IntN(20); {
	case op < 3:
		m.enter(m.newMail())
	case op == 3:
		m.join(m.newMail())
	case op < 6:
		m.pull(m.rand.IntN(4))
	case op < 9 && inHand:
		m.enter(hand)
	case op < 11 && underWay:
		m.leave(way, true)
		m.done[way] = true
	case op == 11 && underWay:
		m.leave(way, false)
		m.join(way)
	case op == 12 && underWay:
		m.enter(way) // the reply was lost
	case op == 13 && underWay && m.rand.IntN(3) == 0:
		m.join(way)
	case op == 14 && inHand:
		m.back(hand)
	case op == 15 && inHand:
		m.join(hand)
	case op == 16 && inHand && m.rand.IntN(2) == 0:
		m.crash(hand)
	case op == 16 && underWay:
		m.crash(way)
	case op == 17 && inRoom:
		m.enter(standing) // its own net has brought it
	default:
		m.pass()
	}
}

// check compares Redis with the model.
func (m *model) check() {
	ctx, keys := m.t.Context(), roomKeys(m.account)
	there, err := m.rooms.list(ctx, m.account, 0, 1000)
	m.must(err)
	order := m.order()
	for i, w := range there {
		if i >= len(order) || w.Mail != order[i] || w.score != m.room[w.Mail] {
			m.fail("in the room: %v, want %v %v", there, order, m.room)
		}
	}
	held := m.rooms.rdb.HGetAll(ctx, keys[2]).Val()
	if len(there) != len(order) || len(held) != len(m.held) {
		m.fail("%d in the room, want %d; %v held, want %d", len(there), len(order), held, len(m.held))
	}
	expected := len(order) > 0
	for mail, h := range m.held {
		expected = expected || !h.entered
		text := strconv.FormatFloat(h.score, 'f', -1, 64)
		if h.entered {
			text = "-"
		}
		if want := fmt.Sprintf("%d %d %s", h.until, h.n, text); held[mail.String()] != want {
			m.fail("%s is held as %q, want %q", mail, held[mail.String()], want)
		}
		if _, both := m.room[mail]; both {
			m.fail("%s is in the room and held", mail)
		}
	}
	if err := m.rooms.rdb.ZScore(ctx, roomsKey, m.account).Err(); expected && err != nil {
		m.fail("%d mails in a room, %+v held, and it is not in the index", len(order), m.held)
	}
}

// drain lets a worker that lives serve the index until nothing is left.
func (m *model) drain() {
	ctx := m.t.Context()
	for hand := range maps.Clone(m.hand) {
		m.back(hand)
	}
	for way := range maps.Clone(m.way) {
		m.leave(way, true)
		m.done[way] = true
	}
	for range 5000 {
		score, err := m.rooms.rdb.ZScore(ctx, roomsKey, m.account).Result()
		if err != nil {
			break
		}
		m.at = max(m.at, int64(score))
		accounts, err := m.rooms.due(ctx, 1000)
		m.must(err)
		if !slices.Contains(accounts, m.account) {
			m.fail("not due at %f", score)
		}
		for _, w := range m.pull(3) {
			if m.enter(w.Mail) {
				m.leave(w.Mail, true)
				m.done[w.Mail] = true
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

// TestRoomsModel lets several workers use a room in every order, through days.
func TestRoomsModel(t *testing.T) {
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
