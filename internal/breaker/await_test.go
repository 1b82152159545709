package breaker

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
)

func certificate() *failure.Failure {
	return &failure.Failure{Stage: failure.StageTLS, Class: failure.Config, Category: "tls_certificate"}
}

func sender() *failure.Failure {
	return &failure.Failure{Stage: failure.StageMail, Class: failure.Config, Category: "sender_rejected", Code: 553}
}

// TestAwait: mails that have failed for settings block no others, and are freed by a
// reset; a success frees them too, if it shows that what they met is mended.
func TestAwait(t *testing.T) {
	t.Parallel()
	target := &Target{Account: "tenant/acme", Server: "mail.acme.example:587", Fingerprint: func() string { return "1" }}
	for name, tt := range map[string]struct {
		failures []*failure.Failure
		do       func(t *testing.T, b *bench) error
		want     int // mails in the backlog
	}{
		"nothing":            {[]*failure.Failure{certificate(), sender()}, func(*testing.T, *bench) error { return nil }, 0},
		"a reset":            {[]*failure.Failure{certificate(), sender()}, func(t *testing.T, b *bench) error { return b.Reset(t.Context(), "tenant/acme") }, 2},
		"another's reset":    {[]*failure.Failure{certificate(), sender()}, func(t *testing.T, b *bench) error { return b.Reset(t.Context(), "tenant/x") }, 0},
		"a success":          {[]*failure.Failure{certificate()}, succeed(target), 1},
		"a success of both":  {[]*failure.Failure{sender(), certificate()}, succeed(target), 2},
		"of another sender":  {[]*failure.Failure{sender()}, succeed(target), 0},
		"a reset, elsewhere": {[]*failure.Failure{sender()}, func(t *testing.T, b *bench) error { return b.another(t).Reset(t.Context(), "tenant/acme") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			for n, f := range tt.failures {
				if err := b.Await(t.Context(), target, queue.Ref{Queue: "default", ID: fmt.Sprint(n)}, f); err != nil {
					t.Fatal(err)
				}
			}
			if s, _ := b.Blocked(target); s != nil {
				t.Errorf("blocked: %+v", s)
			}
			if states := b.States(); len(states) != 1 || states[0].Kind != Settings || states[0].Account() != target.Account || states[0].Fingerprint != "1" {
				t.Errorf("%+v", states)
			}
			if err := tt.do(t, b); err != nil {
				t.Fatal(err)
			}
			if n := b.redis.ZCard(t.Context(), backlog.Key(target.Account)).Val(); n != int64(tt.want) {
				t.Errorf("%d mails may go, want %d", n, tt.want)
			}
		})
	}
}

func succeed(target *Target) func(*testing.T, *bench) error {
	return func(t *testing.T, b *bench) error {
		t.Helper()
		b.Record(t.Context(), target, Result{Reached: true})
		return nil
	}
}

// another is the breaker of another process.
func (b *bench) another(t *testing.T) *Breaker {
	t.Helper()
	other, err := New(Options{Redis: b.redis, Backlog: b.backlog})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// TestResetOfACertificate: new settings free also those mails that wait because the
// server has tripped over what the settings may have mended.
func TestResetOfACertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	target := &Target{Account: "tenant/acme", Server: "mail.acme.example:587", Fingerprint: func() string { return "1" }}
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	if err := b.Await(t.Context(), target, queue.Ref{Queue: "default", ID: "1"}, certificate()); err != nil {
		t.Fatal(err)
	}
	for range tripAfter {
		b.Record(t.Context(), target, Result{Failure: f})
	}
	if s, _ := b.Blocked(target); s == nil {
		t.Fatal("not blocked")
	}
	if err := b.Reset(t.Context(), target.Account); err != nil {
		t.Fatal(err)
	}
	if s, _ := b.Blocked(target); s != nil {
		t.Errorf("still blocked: %+v", s)
	}
}

// TestMigrate: accounts that an older version has parked stay parked.
func TestMigrate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const parked = `{"kind":"parked","subject":"tenant/acme","fingerprint":"1","since":"2026-11-01T00:00:00Z","stage":"auth","class":"config","category":"auth_failed","rule":3}`
	b.redis.HSet(t.Context(), "rohrpost:gate:notices", "tenant/acme", parked)
	for range 2 {
		if err := b.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if b.Parked("tenant/acme", func() string { return "1" }) == nil || len(b.States()) != 1 {
			t.Errorf("%+v", b.States())
		}
	}
}
