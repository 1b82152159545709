package delivery

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestNone: a negative setting is none, where zero would be the default.
func TestNone(t *testing.T) {
	t.Parallel()
	r, err := Retry{First: time.Second, Jitter: -1, Greylist: -1, Uncertain: -1}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	grey := &failure.Failure{Class: failure.Transient, Category: "greylisted"}
	asked := &failure.Failure{Class: failure.Transient, Category: "greylisted", RetryAfter: time.Minute}
	doubt := &failure.Failure{Class: failure.Uncertain}
	for _, random := range []float64{0, 0.9} {
		if a, b, c := r.Delay(1, grey, random), r.Delay(1, asked, random), r.Delay(1, doubt, random); a != time.Second || b != time.Minute || c != 0 {
			t.Errorf("%v, %v, %v", a, b, c)
		}
	}
	usual, _ := Retry{}.withDefaults()
	if usual.least(grey) != 5*time.Minute || usual.least(doubt) != 15*time.Minute || usual.Jitter == 0 {
		t.Errorf("%+v", usual)
	}
}

// aged is an attempt at a mail that was due so long ago.
func aged(age time.Duration, record *ledger.Record) *attempt {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	retry, err := Retry{Jitter: -1}.withDefaults()
	if err != nil {
		panic(err)
	}
	w := &Worker{opts: Options{Retry: retry}, now: func() time.Time { return now }}
	job := &payload.Job{EnqueuedAt: now.Add(-age)}
	job.To = []rohrpost.Address{{Address: "a@example.org"}}
	a := w.newAttempt(job)
	a.record, a.open = record, []int{0}
	return a
}

// TestNet: a waiting mail looks for itself a few times, in doubling steps and not with
// the others, when there is something to tell, and at its end.
func TestNet(t *testing.T) {
	t.Parallel()
	const quarter = 15 * time.Minute
	for _, tt := range []struct{ age, busy, busyLate, parked, parkedLate time.Duration }{
		{0, 4 * time.Minute, 5 * time.Minute, 4 * time.Minute, 5 * time.Minute},
		{6 * time.Minute, 6 * time.Minute, 7*time.Minute + 30*time.Second, 6 * time.Minute, 7*time.Minute + 30*time.Second},
		{8 * time.Minute, 7 * time.Minute, 8 * time.Minute, 7 * time.Minute, 8 * time.Minute},
		{14 * time.Minute, time.Minute, 2 * time.Minute, time.Minute, 2 * time.Minute},
		{quarter, quarter, quarter * 5 / 4, quarter, quarter * 5 / 4},
		{40 * time.Minute, quarter, quarter * 5 / 4, 20 * time.Minute, 21 * time.Minute},
		{59 * time.Minute, time.Minute, 2 * time.Minute, time.Minute, 2 * time.Minute},
		{time.Hour, quarter, quarter * 5 / 4, time.Hour, 75 * time.Minute},
		{10 * time.Hour, quarter, quarter * 5 / 4, time.Hour, 75 * time.Minute},
		{23*time.Hour + 59*time.Minute, time.Minute, time.Minute, time.Minute, time.Minute},
		{-time.Minute, 4 * time.Minute, 5 * time.Minute, 4 * time.Minute, 5 * time.Minute}, // the clocks differ
	} {
		check := func(reason dispatch.Reason, want, late time.Duration) {
			a := aged(tt.age, nil)
			a.wait = &dispatch.Wait{Reason: reason}
			if got, gotLate := a.netAt(0), a.netAt(0.5); got != want || gotLate != late {
				t.Errorf("%s at the age of %v after %v and %v, want %v and %v", reason, tt.age, got, gotLate, want, late)
			}
		}
		check(dispatch.Busy, tt.busy, tt.busyLate)
		check(dispatch.Parked, tt.parked, tt.parkedLate)
	}
	a := aged(10*time.Minute, nil)
	a.job.Expires = a.w.now().Add(time.Minute)
	if got := a.net(); got != time.Minute {
		t.Errorf("before the end after %v", got)
	}
}

// TestDelayed: a delay is told once at a quarter of an hour and once at an hour.
func TestDelayed(t *testing.T) {
	t.Parallel()
	now := aged(0, nil).w.now()
	written := func(ago time.Duration) *ledger.Record {
		return &ledger.Record{Status: rohrpost.Status{UpdatedAt: now.Add(-ago)}}
	}
	for _, tt := range []struct {
		age    time.Duration
		record *ledger.Record
		want   time.Duration
	}{
		{14 * time.Minute, nil, 0},
		{15 * time.Minute, nil, 15 * time.Minute},
		{15 * time.Minute, written(time.Second), 15 * time.Minute},
		{16 * time.Minute, written(time.Minute), 0},
		{59 * time.Minute, written(44 * time.Minute), 0},
		{time.Hour, written(45 * time.Minute), time.Hour},
		{2 * time.Hour, written(2 * time.Hour), time.Hour},
		{2 * time.Hour, written(time.Hour), 0},
		{3 * time.Hour, &ledger.Record{Due: now.Add(-20 * time.Minute)}, 15 * time.Minute}, // sent on its way again
	} {
		if got := aged(tt.age, tt.record).delayed(); got != tt.want {
			t.Errorf("%v old, %+v: %v, want %v", tt.age, tt.record, got, tt.want)
		}
	}
}

// TestInTime: a pause that would outlast the mail ends shortly before its end.
func TestInTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		left, pause time.Duration
		state       rohrpost.RecipientState
		want        time.Duration
	}{
		{50 * time.Second, time.Minute, rohrpost.RecipientDeferred, 45 * time.Second},
		{290 * time.Second, 5 * time.Minute, rohrpost.RecipientDeferred, 285 * time.Second},
		{time.Minute, time.Minute, rohrpost.RecipientDeferred, 55 * time.Second},
		{time.Minute, 59 * time.Second, rohrpost.RecipientDeferred, 59 * time.Second},
		{9 * time.Second, time.Minute, rohrpost.RecipientDeferred, time.Minute},   // that was the last one
		{50 * time.Second, time.Minute, rohrpost.RecipientUncertain, time.Minute}, // it may be there
	} {
		a := aged(0, nil)
		a.job.Expires = a.w.now().Add(tt.left)
		if got := a.inTime(tt.pause, map[int]rohrpost.RecipientStatus{0: {State: tt.state}}); got != tt.want {
			t.Errorf("%v left, a pause of %v: %v, want %v", tt.left, tt.pause, got, tt.want)
		}
	}
}

// TestPause: the next attempt comes by the number of attempts, or by age where they
// do not count; never before the server's own word, and at a moment at which the
// delay is told if that is near.
func TestPause(t *testing.T) {
	t.Parallel()
	transient := &failure.Failure{Stage: failure.StageRcpt, Class: failure.Transient, Category: "temporary_server", Code: 451}
	refused := &failure.Failure{Stage: failure.StageMail, Class: failure.Config, Category: "sender_rejected", Code: 550}
	patient := &failure.Failure{Stage: failure.StageRcpt, Class: failure.Transient, Category: "temporary_server", Code: 451, RetryAfter: 20 * time.Minute}
	for name, tt := range map[string]struct {
		age      time.Duration
		attempts int
		f        *failure.Failure
		want     time.Duration
	}{
		"first":                      {0, 0, transient, time.Minute},
		"third":                      {3 * time.Minute, 2, transient, 4 * time.Minute},
		"just before it is told":     {8 * time.Minute, 3, transient, 7 * time.Minute},
		"far before":                 {13 * time.Minute, 3, transient, 8 * time.Minute},
		"the hour":                   {31 * time.Minute, 5, transient, 29 * time.Minute},
		"the server's word":          {3 * time.Minute, 2, patient, 20 * time.Minute},
		"does not count, first":      {0, 0, refused, time.Minute},
		"does not count, later":      {5 * time.Minute, 0, refused, 5 * time.Minute},
		"does not count, much later": {10 * time.Hour, 0, refused, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := aged(tt.age, &ledger.Record{Status: rohrpost.Status{Attempts: tt.attempts}})
			c := a.conclude(transport.AllFailed("", 1, tt.f))
			if got := c.Next.Sub(a.w.now()); got != tt.want || c.delay != tt.want || c.State != rohrpost.Deferred {
				t.Errorf("%s after %v and %v, want %v", c.State, got, c.delay, tt.want)
			}
			if c.Counts != (tt.f.Class == failure.Transient) {
				t.Errorf("counts: %v", c.Counts)
			}
		})
	}
}

// TestWhatCounts: only what a mail or recipient met counts as its attempt.
func TestWhatCounts(t *testing.T) {
	t.Parallel()
	reply := func(s failure.Stage, code int, text string) *failure.Failure {
		return failure.Classify(failure.Cause{Stage: s, Reply: failure.Reply{Code: code, Lines: []string{text}}})
	}
	for name, tt := range map[string]struct {
		f    *failure.Failure
		want bool
	}{
		"accepted":          {nil, true},
		"no such user":      {reply(failure.StageRcpt, 550, "5.1.1 unknown"), true},
		"greylisted":        {reply(failure.StageRcpt, 450, "4.2.0 greylisted"), true},
		"wrong password":    {reply(failure.StageAuth, 535, "5.7.8 no"), false},
		"too fast":          {reply(failure.StageMail, 450, "4.7.0 rate limit"), false},
		"server is away":    {noAnswer(), false},
		"the server's day":  {reply(failure.StageBanner, 421, "4.3.2 closing"), false},
		"sender is refused": {reply(failure.StageMail, 550, "5.7.60 not allowed to send as this sender"), false},
	} {
		if got := counts(tt.f); got != tt.want {
			t.Errorf("%s: %v (%+v)", name, got, tt.f)
		}
	}
}

func noAnswer() *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: transport.ErrBusy})
}

// TestTold: of a mail that waits something is written once, unless it waits for a
// connection only; and again when its delay is to be told.
func TestTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		age    time.Duration
		reason dispatch.Reason
		state  rohrpost.State // of the record; empty: none was read
		want   bool
	}{
		"busy":                 {0, dispatch.Busy, "", true},
		"busy for long":        {15 * time.Minute, dispatch.Busy, "", false},
		"parked":               {0, dispatch.Parked, "", false},
		"parked since":         {0, dispatch.Parked, rohrpost.Parked, true},
		"parked after waiting": {0, dispatch.Parked, rohrpost.Deferred, false},
		"rate":                 {0, dispatch.Rate, "", false},
		"slow after rate":      {0, dispatch.Slow, rohrpost.Deferred, true},
	} {
		var record *ledger.Record
		if tt.state != "" {
			record = &ledger.Record{Status: rohrpost.Status{State: tt.state}}
		}
		a := aged(tt.age, record)
		a.wait = &dispatch.Wait{Reason: tt.reason}
		if got := a.told(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestBreakers: what a tenant has entered closes no server to the operator's accounts, nor
// do settings that speak to it in another way.
func TestBreakers(t *testing.T) {
	t.Parallel()
	server := func(trusted bool, encryption resolver.Encryption) string {
		a := aged(0, nil)
		a.sender.Account = &resolver.Account{
			Level: resolver.Tenant, Tenant: "acme", Address: "a@acme.example", Trusted: trusted,
			SMTP: resolver.SMTP{Host: "mail.example", Port: 587, Encryption: encryption},
		}
		return a.target().Server
	}
	own, operators, plain := server(false, resolver.STARTTLS), server(true, resolver.STARTTLS), server(false, resolver.None)
	if own == operators || own == plain || own != server(false, resolver.STARTTLS) {
		t.Errorf("%q, %q, %q", own, operators, plain)
	}
}
