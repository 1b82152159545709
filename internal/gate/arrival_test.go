package gate

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A desk is a gate whose rounds and clock a test turns, and what it has claimed.
type desk struct {
	*Gate
	t       *testing.T
	at      time.Time
	claimed []Mail
	missed  func(m Mail, gone bool)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, at: time.UnixMilli(1_763_785_200_500)}
	var err error
	d.Gate, err = New(Options{Redis: redistest.Start(t).Client(t), Workers: 8, Now: func() time.Time { return d.at }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Claim implements Claimer.
func (d *desk) Claim(mails []Mail, missed func(Mail, bool)) {
	d.claimed, d.missed = append(d.claimed, mails...), missed
}

// claims turns a round after so long, and wants these mails to be claimed in it.
func (d *desk) claims(after time.Duration, want ...Mail) {
	d.t.Helper()
	d.at = d.at.Add(after)
	d.claimed = nil
	if err := d.serve(d.t.Context(), d, true); err != nil {
		d.t.Fatal(err)
	}
	if !slices.Equal(d.claimed, want) {
		d.t.Fatalf("claimed %v, want %v", d.claimed, want)
	}
}

// TestPuttingDown: a mail that is claimed while the worker that had it before is
// putting it down has not come out of its room by that. If nobody takes it, it is back
// after a minute.
func TestPuttingDown(t *testing.T) {
	t.Parallel()
	d, m := newDesk(t), Mail{"default", "1"}
	if d.Came(m) {
		t.Error("nobody has claimed it")
	}
	if err := d.Join(t.Context(), Door{Account: acme}, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	d.claims(time.Second, m)
	d.Arrived(m) // of the worker before
	d.claims(time.Second)
	d.claims(time.Minute, m)
	if !d.Came(m) {
		t.Error("it was claimed")
	}
	d.Arrived(m)
	d.claims(time.Second)
	d.claims(2 * time.Minute)
}

// TestAnswerTooLate: what became of a claim says nothing of a later one.
func TestAnswerTooLate(t *testing.T) {
	t.Parallel()
	d, m := newDesk(t), Mail{"default", "1"}
	if err := d.Join(t.Context(), Door{Account: acme}, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	d.claims(time.Second, m)
	late := d.missed
	d.claims(time.Minute, m)
	late(m, true)
	if d.coming[m] == nil {
		t.Error("the second claim is forgotten")
	}
	d.claims(time.Second)
	d.claims(time.Minute, m)
	d.missed(m, true)
	d.claims(time.Second)
	d.claims(2 * time.Minute)
}

// TestClaimedTwice: a mail has one place, however often it is claimed.
func TestClaimedTwice(t *testing.T) {
	t.Parallel()
	d, m := newDesk(t), Mail{"default", "1"}
	d.expect(acme, "1", []Mail{m})
	d.expect("tenant/other", "", []Mail{m})
	if a, b := d.hand(acme).coming, d.hand("tenant/other").coming; a != 0 || b != 1 {
		t.Errorf("%d and %d are expected", a, b)
	}
	d.Came(m)
	d.turnedAway(&Door{Account: "tenant/other"}, m)
	if n := d.hand("tenant/other").coming; n != 0 || len(d.coming) != 0 {
		t.Errorf("%d are expected, %v", n, d.coming)
	}
}

// TestUnmet: a process that has not met an account learns from the first mail that its
// server is down, and that somebody else is trying it; it does not ask again and again.
func TestUnmet(t *testing.T) {
	t.Parallel()
	d, m := newDesk(t), Mail{"default", "1"}
	door := Door{Account: acme, Server: "mail.acme.example:587", Fingerprint: func() string { return "1" }, Connections: 3}
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	until := d.shut(t.Context(), Down, serverSubject(door.Server), f).Until
	if err := d.Join(t.Context(), door, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	waits := func() {
		t.Helper()
		d.Came(m)
		pass, wait, err := d.Enter(t.Context(), door, m, 1)
		d.Arrived(m)
		if pass != nil || wait == nil || err != nil {
			t.Fatalf("%v, %+v, %v", pass, wait, err)
		}
	}
	d.claims(time.Second, m)
	waits()
	d.claims(0)
	if !d.redis.SetNX(t.Context(), probeKey(serverSubject(door.Server)), 1, time.Minute).Val() {
		t.Fatal("nobody tries yet")
	}
	d.claims(until.Sub(d.at), m)
	waits()
	d.claims(0)
	d.claims(lookAgain - 1)
	d.claims(1, m)
}

// TestCrowded: who has found every connection taken by other processes takes no more
// mails than he has connections for a while, and none without any.
func TestCrowded(t *testing.T) {
	t.Parallel()
	d, door := newDesk(t), Door{Account: acme, Connections: 3}
	mails := []Mail{{"default", "1"}, {"default", "2"}, {"default", "3"}}
	var passes []*Pass
	for _, m := range mails {
		pass, wait, err := d.Enter(t.Context(), door, m, 1)
		if pass == nil || err != nil {
			t.Fatal(wait, err)
		}
		passes = append(passes, pass)
	}
	busy := func(n int) {
		t.Helper()
		if _, err := passes[n].Busy(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.claims(0) // the others are under way, or may fare no better
	}
	busy(0)
	busy(1)
	busy(2)
	d.claims(briefCaution - 1)
	d.claims(1, mails...)
}

// TestCaution: that others have the connections for a moment does not end the caution
// towards a server that wanted fewer.
func TestCaution(t *testing.T) {
	t.Parallel()
	d, door := newDesk(t), Door{Account: acme, Server: "mail.acme.example:587", Connections: 3}
	enter := func(n int) (passes []*Pass) {
		t.Helper()
		for k := range n {
			pass, wait, err := d.Enter(t.Context(), door, Mail{"default", strconv.Itoa(k)}, 1)
			if pass == nil || err != nil {
				t.Fatal(wait, err)
			}
			passes = append(passes, pass)
		}
		return passes
	}
	passes := enter(3)
	tooMany := failure.Classify(failure.Cause{Stage: failure.StageBanner, Reply: failure.Reply{Code: 421, Lines: []string{"too many connections"}}})
	passes[0].Leave(t.Context(), Result{Failure: tooMany})
	if _, err := passes[1].Busy(t.Context()); err != nil {
		t.Fatal(err)
	}
	passes[2].Abandon(t.Context())
	h := d.hand(acme)
	if n := d.limit(h); n != 1 {
		t.Errorf("%d at a time while others have the connections", n)
	}
	d.at = d.at.Add(briefCaution)
	if n := d.limit(h); n != 2 {
		t.Errorf("%d at a time with a server that wanted fewer", n)
	}
	d.at = d.at.Add(caution)
	if n := d.limit(h); n != 3 {
		t.Errorf("%d at a time later", n)
	}
}
