package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// platform is the target of a tenant's mail to the account of all tenants.
func platform(tenant string) dispatch.Target {
	d := target()
	d.Account, d.Tenant, d.Shared, d.Connections = "platform", tenant, true, 10
	return d
}

// hearsay is a reply that may be the account's server's word or the recipient's.
func hearsay(domain int) breaker.Result {
	r := reply(failure.StageRcpt, 450, "4.7.0 rate limit exceeded, try again in 9999 hours")
	r.Failure.RetryAfter = 4 * time.Hour
	r.Domains = []string{fmt.Sprintf("domain%d.example", domain)}
	return r
}

// alone has mail n wait outside the backlog.
func (b *bench) alone(d dispatch.Target, n int) *dispatch.Wait {
	b.Helper()
	w := b.waits(d, n, dispatch.Slow)
	if !w.Alone || w.State == nil || w.Failure().Category != "rate_limited" {
		b.Errorf("mail %d: %+v", n, w)
	}
	return w
}

// TestHearsayOfASharedAccount stops the tenant it came to, for a time that doubles to
// five minutes, and nobody else; one mail tries.
func TestHearsayOfASharedAccount(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	mallory, globex := platform("mallory"), platform("globex")
	for n := range 3 {
		if w := b.enter(mallory, n).Done(t.Context(), hearsay(n)); w != nil {
			t.Fatalf("mail %d is in the backlog: %+v", n, w)
		}
	}
	for i, pause := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		w := b.alone(mallory, 10)
		if !w.Until.Equal(b.Now().Add(pause)) {
			t.Fatalf("pause %d is %v, want %v", i, w.Until.Sub(b.Now()), pause)
		}
		p := b.enter(globex, 11)
		b.advance(pause)
		probe := b.enter(mallory, 12)
		b.alone(mallory, 13)
		b.enter(globex, 14).Abandon(t.Context())
		probe.Done(t.Context(), hearsay(i))
		p.Abandon(t.Context())
	}
	if n := b.rdb.HLen(t.Context(), "rohrpost:breaker:states").Val(); n != 0 {
		t.Errorf("%d states: another process is stopped", n)
	}
	if n := b.rdb.ZCard(t.Context(), "rohrpost:backlog:{platform}:mails").Val(); n != 0 {
		t.Errorf("%d mails in the backlog", n)
	}
	b.enter(globex, 20).Done(t.Context(), breaker.Result{Reached: true})
	b.enter(mallory, 21) // the account works: what was said was no word of its own
}

// TestProbeOfHearsay: a mail that fails for its own reasons shows that the account
// works; one that never comes back is followed by another.
func TestProbeOfHearsay(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	for n := range 3 {
		b.enter(platform("mallory"), n).Done(t.Context(), hearsay(n))
	}
	b.advance(15 * time.Second)
	b.enter(platform("mallory"), 3)
	b.alone(platform("mallory"), 4)
	b.advance(time.Minute)
	probe := b.enter(platform("mallory"), 5)
	b.alone(platform("mallory"), 6)
	probe.Done(t.Context(), reply(failure.StageRcpt, 550, "5.1.1 no such user"))
	b.enter(platform("mallory"), 7)
}

// TestEnoughHearsay is how much of it is believed, and what refutes it.
func TestEnoughHearsay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		say  func(n int) breaker.Result
		mail int // that is the last before it is believed; 0: it never is
	}{
		"three domains": {hearsay, 3},
		"three in one mail": {func(int) breaker.Result {
			r := hearsay(0)
			r.Domains = []string{"a.example", "b.example", "c.example"}
			return r
		}, 1},
		"one domain, ten": {func(int) breaker.Result { return hearsay(0) }, 10},
		"passed on": {func(int) breaker.Result {
			return reply(failure.StageRcpt, 450, "host mx.a.example[192.0.2.1] said: 421 too many connections")
		}, 0},
		"a success between": {func(n int) breaker.Result {
			return map[bool]breaker.Result{true: {Reached: true}, false: hearsay(n)}[n%3 == 2]
		}, 0},
		"a login refused, too": {func(n int) breaker.Result { return reply(failure.StageRcpt, 550, "5.1.8 bad outbound sender") }, 10},
	} {
		for _, shared := range []bool{true, false} {
			t.Run(fmt.Sprint(name, shared), func(t *testing.T) {
				t.Parallel()
				b := setup(t, 400)
				d := platform("mallory")
				d.Shared = shared
				most := tt.mail
				if most == 0 {
					most = 50
				}
				for n := range most {
					if w := b.enter(d, n).Done(t.Context(), tt.say(n)); w != nil {
						t.Fatalf("mail %d: %+v", n, w)
					}
				}
				switch {
				case tt.mail == 0:
					b.enter(d, 100)
				default:
					if w := b.waits(d, 100, dispatch.Slow); w.Alone != shared || w.Until.Sub(b.Now()) != 15*time.Second {
						t.Errorf("%+v", w)
					}
				}
			})
		}
	}
}

// TestOwnWordOfASharedAccount: what a server says before it knows a recipient stops
// everybody, for as long as it says.
func TestOwnWordOfASharedAccount(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	r := breaker.Result{Failure: failure.Classify(failure.Cause{
		Stage: failure.StageMail, Reply: failure.Reply{Code: 450, Lines: []string{"rate limit; try again in 9999 hours"}},
	}), Reached: true}
	w := b.enter(platform("acme"), 1).Done(t.Context(), r)
	if w == nil || w.Until.Sub(b.Now()) != 15*time.Minute {
		t.Fatalf("%+v", w)
	}
	b.waits(platform("globex"), 2, dispatch.Slow)
}
