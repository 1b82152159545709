package redisconn

import (
	"testing"
	"time"
)

// TestSkew: a slow answer alone is no difference.
func TestSkew(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		redis, took time.Duration
		want        time.Duration // by which this machine's clock is ahead
	}{
		"the same":                 {0, time.Millisecond, 0},
		"within what it took":      {20 * time.Second, 30 * time.Second, 0},
		"a little behind":          {5 * time.Second, 0, 0},
		"behind":                   {10*time.Minute + time.Second, time.Second, -10 * time.Minute},
		"a little ahead":           {-5 * time.Second, 0, 0},
		"ahead":                    {-3 * time.Minute, time.Second, 3 * time.Minute},
		"no more than for certain": {36 * time.Second, 30 * time.Second, -6 * time.Second},
	} {
		before := time.Now()
		if got := skewOf(before, before.Add(tt.redis), before.Add(tt.took)); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestWarningOfAClock(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]string{
		-6 * time.Second: "this machine's clock is 6s behind that of redis, mails leave too early or late and are taken from workers that still have them: synchronise both (NTP)",
		time.Minute:      "this machine's clock is 1m0s ahead of that of redis, mails leave too early or late and are taken from workers that still have them: synchronise both (NTP)",
	} {
		if got := (Finding{Subject: Clock, Verdict: Bad, Skew: skew}).warning(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
