package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestOnce is the life of an account, seen by three processes.
func TestOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a, b, c := d.notifier(), d.notifier(), d.notifier()
	d.look(a, b, c)
	d.want(0, "all is well")
	d.park("tenant/acme")
	d.pass(59 * time.Second)
	d.look(a, b, c)
	d.want(0, "within a minute")
	d.pass(time.Second)
	for range 3 {
		d.look(a, b, c)
	}
	d.want(1, "refused")
	calls := d.calls
	d.pass(30 * time.Minute)
	d.look(a, b, c, d.notifier())
	d.want(1, "and it stands")
	if d.calls != calls {
		t.Errorf("it is sent again and again: %d calls", d.calls)
	}
	d.release("tenant/acme")
	d.look(a, b, c)
	d.park("tenant/acme")
	d.pass(time.Minute)
	d.look(a, b, c)
	d.want(2, "released, and refused again")
	d.release("tenant/acme")
	d.park("tenant/acme") // with another wrong password
	d.pass(time.Minute)
	d.look(a, b, c)
	d.want(2, "and again at once")
	d.release("tenant/acme")
	d.stop(breaker.Settings, "tenant/acme", certificate())
	d.pass(time.Minute)
	d.look(a, b, c)
	d.want(3, "for another cause")
	d.release("settings/tenant/acme")
	d.park("user/acme/max")
	d.release("user/acme/max")
	d.pass(time.Hour)
	d.look(a, b, c)
	d.want(3, "what works again within a minute")
}

// TestKilled: a process is killed before it has enqueued what it has noted, or after that and
// before it has noted it. Another one goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			killed := errors.New("killed")
			dying := d.notifier(func(o *Options) {
				o.Send = func(_ context.Context, m rohrpost.Message) error {
					if sent {
						return errors.Join(d.send(t.Context(), m), killed)
					}
					return killed
				}
			})
			other := d.notifier()
			d.park("tenant/acme")
			d.pass(time.Minute)
			if err := dying.Look(t.Context()); !errors.Is(err, killed) {
				t.Fatal(err)
			}
			d.pass(time.Second)
			d.park("user/acme/max") // which changes nothing of what was noted
			for range 3 {
				d.look(other)
			}
			d.want(1, "the notice that was begun")
			d.pass(time.Minute)
			d.look(other, d.notifier())
			d.want(2, "then the other account")
		})
	}
}

// TestMendedMeanwhile: what was begun and works again before anybody goes on is not told.
func TestMendedMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := d.notifier()
	d.fail = func(calls int) error { return map[bool]error{true: errors.New("away")}[calls == 1] }
	d.park("tenant/acme")
	d.pass(time.Minute)
	if err := n.Look(t.Context()); err == nil {
		t.Error("no error")
	}
	d.release("tenant/acme")
	d.park("user/acme/max")
	d.pass(time.Minute)
	d.look(n)
	d.want(1, "the account that stands")
	if got := d.mails[0].Subject; !strings.Contains(got, "max@acme.example") {
		t.Errorf("subject %q", got)
	}
}

// TestTogether: ten thousand accounts that stop at once are one mail.
func TestTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for n := range 10_000 {
		d.park(fmt.Sprintf("user/acme/u%d", n))
		d.pass(time.Millisecond)
	}
	d.pass(50 * time.Second)
	a, b := d.notifier(), d.notifier()
	for range 3 {
		d.look(a, b)
	}
	d.want(1, "all at once")
	m := d.mails[0]
	if m.Subject != "10,000 mail accounts have stopped" || !strings.Contains(m.Text, "9,980 more accounts") ||
		!strings.Contains(m.Text, "https://mail.example.com/rohrpost/t/acme/accounts\n") || strings.Count(m.Text, "Open the account:") != mostNamed {
		t.Errorf("%s\n%s", m.Subject, m.Text)
	}
}

// TestBounded: a tenant gets ten notices within 24 hours, and then one with the rest.
func TestBounded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := d.notifier()
	for i := range 30 {
		d.park(fmt.Sprintf("user/acme/u%d", i))
		d.pass(2 * time.Minute)
		d.look(n)
	}
	d.want(most, "an hour")
	if last := d.mails[most-1].Text; !strings.Contains(last, "not before 1 December 2026, 07:22 CET") || strings.Contains(d.mails[most-2].Text, "not before") {
		t.Errorf("the last one says\n%s", last)
	}
	d.park("tenant/globex")
	d.pass(time.Minute)
	d.look(n)
	d.want(most+1, "another tenant")
	d.pass(window - 62*time.Minute)
	d.look(n)
	d.want(most+1, "a day later, almost")
	d.pass(3 * time.Minute)
	d.look(n, d.notifier())
	d.want(most+2, "a day later")
	if got := d.mails[most+1].Subject; got != "20 mail accounts have stopped" {
		t.Errorf("subject %q", got)
	}
}

// TestWho is told of what.
func TestWho(t *testing.T) {
	t.Parallel()
	operators := []string{"admin@platform.example", "olga@platform.example"}
	slow := func(since time.Duration) func(*desk) {
		return func(d *desk) {
			d.stop(breaker.Slow, "tenant/acme", &failure.Failure{Stage: failure.StageDot, Class: failure.Throttle, Category: "quota_exceeded", Rule: 48})
			s := d.states["tenant/acme"]
			s.First, s.Since = s.Since.Add(-since), s.Since.Add(-time.Minute)
		}
	}
	for name, tt := range map[string]struct {
		do   func(*desk)
		want []string
	}{
		"a tenant's account":           {func(d *desk) { d.park("tenant/acme") }, []string{"it@acme.example"}},
		"a user's account":             {func(d *desk) { d.park("user/acme/max") }, []string{"it@acme.example"}},
		"a certificate":                {func(d *desk) { d.stop(breaker.Settings, "tenant/acme", certificate()) }, []string{"it@acme.example"}},
		"the platform's account":       {func(d *desk) { d.park("platform") }, operators},
		"what only the operator mends": {func(d *desk) { d.stop(breaker.Settings, "tenant/acme", &failure.Failure{Rule: 124}) }, operators},
		"a limit, for an hour":         {slow(time.Hour), []string{"it@acme.example"}},
		"a limit, for half an hour":    {slow(30 * time.Minute), nil},
		"a server, for an hour":        {func(d *desk) { d.down(time.Hour, dispatch.Down) }, []string{"it@acme.example"}},
		"a server, for half an hour":   {func(d *desk) { d.down(30*time.Minute, dispatch.Down) }, nil},
		"a server nobody waits for":    {func(d *desk) { d.down(time.Hour, dispatch.Busy) }, nil},
		"no administrator":             {func(d *desk) { d.park("tenant/initech") }, nil},
		"an odd subject":               {func(d *desk) { d.park("tenant/a/b/c") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			n := d.notifier()
			tt.do(d)
			d.pass(time.Minute)
			for range 3 {
				d.look(n)
			}
			if tt.want == nil {
				d.want(0, "of no interest")
				return
			}
			d.want(1, "it stands")
			m := d.mails[0]
			if m.Tenant != "" || m.User.ID != "" || m.Origin != rohrpost.Automatic || m.Category != rohrpost.Transactional {
				t.Errorf("it is no mail of the platform's: %+v", m)
			}
			var to []string
			for _, a := range m.To {
				to = append(to, a.Address)
			}
			if fmt.Sprint(to) != fmt.Sprint(tt.want) {
				t.Errorf("to %q, want %q", to, tt.want)
			}
		})
	}
}

// TestSaid: what nobody can be told is logged, once.
func TestSaid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		account string
		change  func(*desk)
		want    string
	}{
		"no administrator": {"tenant/initech", func(*desk) {}, "it has no admin_address"},
		"no operator":      {"platform", func(d *desk) { d.admins = nil }, "neither notices.operators nor"},
		"the platform":     {"platform", func(*desk) {}, "the platform's account has stopped"},
		"refused": {"tenant/acme", func(d *desk) {
			d.fail = func(int) error { return rohrpost.FieldErrors{{Field: "to[0]", Problem: "is wrong"}} }
		}, "is not told"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			tt.change(d)
			n := d.notifier(func(o *Options) {
				if d.admins == nil {
					o.Operators = nil
				}
			})
			d.park(tt.account)
			d.pass(time.Minute)
			for range 3 {
				d.look(n)
				d.pass(time.Minute)
			}
			if got := d.log.String(); strings.Count(got, tt.want) != 1 || strings.Count(got, "\n") != 1 || strings.Contains(got, "hunter2") {
				t.Errorf("logged:\n%s", got)
			}
		})
	}
}

// TestRedisAway tells later.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	n := d.notifier()
	d.park("tenant/acme")
	d.pass(time.Minute)
	key := bookKey("acme")
	d.rdb.Set(t.Context(), key, "{", 0)
	if err := n.Look(t.Context()); err == nil || !strings.Contains(err.Error(), `tenant "acme"`) {
		t.Errorf("a damaged book: %v", err)
	}
	d.rdb.Del(t.Context(), key)
	d.look(n)
	d.want(1, "mended")
	if ttl := d.rdb.TTL(t.Context(), key).Val(); ttl <= 0 || ttl > keep {
		t.Errorf("the book is kept for %v", ttl)
	}
}

// TestFaultsOfOptions are told together.
func TestFaultsOfOptions(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("nothing is required")
	}
	o := Options{Operators: []string{"olga", "olga@platform.example"}, PublicURL: "mail.example.com", Gather: -1}
	err := o.Check()
	for _, fault := range []string{"olga", "public URL", "gather"} {
		if err == nil || strings.Count(err.Error(), fault) != 1 {
			t.Errorf("%q is not told once: %v", fault, err)
		}
	}
}

// TestPages: where the pages of accounts are.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		place resolver.Place
		want  string
	}{
		{resolver.Place{}, "/system/account"},
		{resolver.Place{Tenant: "acme"}, "/t/acme/accounts/tenant"},
		{resolver.Place{Tenant: "a/b c", User: "ü?#"}, "/t/a%2Fb%20c/accounts/user/%C3%BC%3F%23"},
		{resolver.Place{Tenant: "@platform"}, "/t/@@platform/accounts/tenant"},
	} {
		if got := page(tt.place); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.place, got, tt.want)
		}
	}
}
