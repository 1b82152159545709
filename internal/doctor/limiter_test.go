package doctor_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func limiter(t *testing.T, server *redistest.Server, limit int, window time.Duration) *doctor.Limiter {
	t.Helper()
	l, err := doctor.NewLimiter(doctor.LimiterOptions{Redis: server.Client(t), Limit: limit, Window: window})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLimit(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	l := limiter(t, server, 2, time.Minute)
	for i := range 4 {
		err := l.Allow(t.Context(), "acme/1")
		if i < 2 {
			if err != nil {
				t.Errorf("check %d: %v", i+1, err)
			}
			continue
		}
		often, ok := errors.AsType[*doctor.TooOften](err)
		if !ok || !errors.Is(err, doctor.ErrTooOften) || often.RetryAfter <= 0 || often.RetryAfter > time.Minute {
			t.Errorf("check %d: %v", i+1, err)
		}
	}
	for _, other := range []string{"acme/2", "acme", "", "}acme{"} {
		if err := l.Allow(t.Context(), other); err != nil {
			t.Errorf("%q: %v", other, err)
		}
	}
	// The window ends with its key.
	rdb := server.Client(t)
	if ttl := rdb.PTTL(t.Context(), "rohrpost:doctor:{acme/1}").Val(); ttl <= 0 || ttl > time.Minute {
		t.Errorf("the counter stays for %v", ttl)
	}
	rdb.Del(t.Context(), "rohrpost:doctor:{acme/1}")
	if err := l.Allow(t.Context(), "acme/1"); err != nil {
		t.Errorf("in the next window: %v", err)
	}
}

// TestLimitOfProcesses: two processes have one limit, however they hurry.
func TestLimitOfProcesses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	processes := []*doctor.Limiter{limiter(t, server, 5, time.Minute), limiter(t, server, 5, time.Minute)}
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if processes[i%2].Allow(t.Context(), "acme") == nil {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if got := allowed.Load(); got != 5 {
		t.Errorf("%d checks were allowed, want 5", got)
	}
}

// TestLimitHeals: a counter that somebody has made to stay does not lock out for good.
func TestLimitHeals(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	rdb.Set(t.Context(), "rohrpost:doctor:{acme}", 1000, 0)
	if err := limiter(t, server, 5, time.Minute).Allow(t.Context(), "acme"); !errors.Is(err, doctor.ErrTooOften) {
		t.Errorf("%v", err)
	}
	if ttl := rdb.PTTL(t.Context(), "rohrpost:doctor:{acme}").Val(); ttl <= 0 {
		t.Errorf("the counter stays for %v", ttl)
	}
}

// TestLimitWithoutRedis: nobody counts, nobody checks.
func TestLimitWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	l := limiter(t, server, 5, time.Minute)
	server.Kill()
	err := l.Allow(t.Context(), "acme")
	if !errors.Is(err, doctor.ErrUncounted) || errors.Is(err, doctor.ErrTooOften) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestTooOftenText(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		time.Millisecond:        "1s",
		time.Second:             "1s",
		1001 * time.Millisecond: "2s",
		time.Minute:             "1m0s",
	} {
		if got := (&doctor.TooOften{RetryAfter: wait}).Error(); !strings.HasSuffix(got, " "+want) {
			t.Errorf("%v: %q", wait, got)
		}
	}
}
