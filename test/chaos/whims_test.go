package chaos

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// A stage is where a server has to answer.
type stage string

// The stages, in their order. At body the mail is on its way.
const (
	atBanner   stage = "banner"
	atEHLO     stage = "EHLO"
	atSTARTTLS stage = "STARTTLS"
	atAUTH     stage = "AUTH"
	atMAIL     stage = "MAIL"
	atRCPT     stage = "RCPT"
	atDATA     stage = "DATA"
	atBody     stage = "body"
	atDot      stage = "dot"
)

// patience is what a worker has for one mail. Answers later than that come too
// late.
const patience = 8 * time.Second

// A whim is what a server does instead of its duty. The zero value is its duty.
type whim struct {
	share  int    // of a thousand visits
	reply  string // in place of the usual one
	wait   time.Duration
	slow   time.Duration // between two bytes
	part   bool          // the reply breaks off in its middle
	mute   bool          // no reply
	silent bool          // until the client gives up; else the connection ends where mute or part
	reset  bool          // it ends with a reset
	take   bool          // at the dot: the mail is taken, whatever the client is told
	late   bool          // at the dot: it is taken after the wait, not before
}

// replies are whims that answer so, each with this share.
func replies(share int, texts ...string) []whim {
	var out []whim
	for _, text := range texts {
		out = append(out, whim{share: share, reply: text})
	}
	return out
}

// anywhere are the whims that fit to every reply.
func anywhere() []whim {
	return append(replies(1, "421 4.3.2 going down", "299 what is this", "999 what is that", "HTTP/1.1 400 Bad Request", "250", "-"),
		whim{share: 2, mute: true}, whim{share: 2, mute: true, reset: true}, whim{share: 1, mute: true, silent: true},
		whim{share: 2, part: true}, whim{share: 1, part: true, silent: true}, whim{share: 3, slow: 10 * time.Millisecond},
		whim{share: 1, slow: 400 * time.Millisecond}, whim{share: 5, wait: time.Second}, whim{share: 1, wait: patience + time.Second})
}

// whimsAt are those of a stage: all rows of the table of failures by stage.
func whimsAt(at stage) []whim {
	special := map[stage][]whim{
		atBanner:   replies(2, "421 4.3.2 busy", "450 4.3.2 not now", "554 5.7.1 no SMTP service for you", "521 5.3.2 no mail here"),
		atEHLO:     replies(1, "421 4.3.2 busy", "450 4.3.2 not now", "500 5.5.1 what", "502 5.5.1 no", "501 5.5.4 bad name", "550 5.7.1 bad name"),
		atSTARTTLS: replies(1, "454 4.7.0 no TLS now", "501 5.5.4 no", "502 5.5.1 no", "220-one\r\n220 two"),
		atAUTH: replies(1, "454 4.7.0 not now", "421 4.7.0 busy", "530 5.7.0 no", "534 5.7.9 no", "535 5.7.8 wrong password",
			"538 5.7.11 no", "504 5.5.4 no", "432 4.7.12 transition"),
		atMAIL: append(replies(2, "421 4.3.2 busy", "450 4.2.0 not now", "451 4.3.0 not now", "452 4.3.1 full", "455 4.5.1 not now", "552 5.3.4 too large"),
			replies(1, "530 5.7.0 login first", "550 5.7.1 not you", "553 5.1.8 not this sender", "554 5.7.1 no", "555 5.5.4 what")...),
		atRCPT: replies(4, "450 4.2.1 busy", "451 4.3.0 not now", "452 4.5.3 too many", "550 5.1.1 nobody", "551 5.1.6 moved",
			"553 5.1.3 bad address", "554 5.7.1 no", "556 5.1.10 no mail there", "452 4.2.2 full", "251 2.1.5 will forward"),
		atDATA: replies(3, "451 4.3.0 not now", "554 5.5.1 no", "503 5.5.1 what"),
		atBody: {{share: 6, mute: true}, {share: 6, mute: true, reset: true}, {share: 2, mute: true, silent: true}},
		atDot: append(replies(4, "421 4.3.2 going down", "450 4.2.0 not now", "451 4.3.0 not now", "452 4.3.1 full", "550 5.7.1 spam", "552 5.3.4 too large", "554 5.6.0 no"),
			whim{share: 20, wait: 700 * time.Millisecond}, whim{share: 20, wait: 3 * time.Second},
			whim{share: 4, take: true, mute: true}, whim{share: 4, take: true, mute: true, reset: true}, whim{share: 2, take: true, mute: true, silent: true},
			whim{share: 4, take: true, part: true}, whim{share: 3, take: true, part: true, reset: true},
			whim{share: 2, take: true, reply: "250-2.0.0 taken\r\n250 2.0.0 ok", part: true},
			whim{share: 2, take: true, reply: "taken"}, whim{share: 1, take: true, reply: "999 taken"},
			whim{share: 1, take: true, slow: 400 * time.Millisecond},
			whim{share: 2, take: true, wait: patience + time.Second}, whim{share: 2, late: true, take: true, wait: patience + time.Second}),
	}
	if at == atBody {
		return special[at] // no reply is asked for
	}
	return append(special[at], anywhere()...)
}

// whims decide, by seed, place and number of the visit, what a server does. When
// calm they are no more.
type whims struct {
	seed  uint64
	calm  atomic.Bool
	table map[stage][]whim
}

func newWhims(seed uint64) *whims {
	w := &whims{seed: seed, table: map[stage][]whim{}}
	for _, at := range []stage{atBanner, atEHLO, atSTARTTLS, atAUTH, atMAIL, atRCPT, atDATA, atBody, atDot} {
		w.table[at] = whimsAt(at)
	}
	return w
}

// at is the whim of a visit. place names what is visited: the n-th connection of a
// server, a recipient for the n-th time.
func (w *whims) at(at stage, place string) whim {
	if w.calm.Load() {
		return whim{}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(string(at) + " " + place))
	n := rand.New(rand.NewPCG(w.seed, h.Sum64())).IntN(1000)
	for _, x := range w.table[at] {
		if n -= x.share; n < 0 {
			return x
		}
	}
	return whim{}
}

// TestWhims: the same visit has the same whim, and every whim comes.
func TestWhims(t *testing.T) {
	t.Parallel()
	w, again := newWhims(1), newWhims(1)
	for at, list := range w.table {
		count := make([]int, len(list))
		for i := range 50_000 {
			place := string(rune(i))
			x := w.at(at, place)
			if x != again.at(at, place) {
				t.Fatalf("%v at %q: two whims", at, place)
			}
			if k := slices.Index(list, x); k >= 0 {
				count[k]++
			}
		}
		for i, n := range count {
			if n == 0 && slices.Index(list, list[i]) == i {
				t.Errorf("%v: never %+v", at, list[i])
			}
		}
	}
	w.calm.Store(true)
	for i := range 1000 {
		if x := w.at(atDot, string(rune(i))); x != (whim{}) {
			t.Fatalf("a whim in the calm: %+v", x)
		}
	}
}
