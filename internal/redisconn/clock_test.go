package redisconn

import (
	"strings"
	"testing"
	"time"
)

// TestClockWarning: a slow answer alone is no difference.
func TestClockWarning(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		redis, took time.Duration
		want        string
	}{
		"the same":                 {0, time.Millisecond, ""},
		"within what it took":      {20 * time.Second, 30 * time.Second, ""},
		"a little behind":          {5 * time.Second, 0, ""},
		"behind":                   {10*time.Minute + time.Second, time.Second, "clock is 10m0s behind that of redis"},
		"a little ahead":           {-5 * time.Second, 0, ""},
		"ahead":                    {-3 * time.Minute, time.Second, "clock is 3m0s ahead of that of redis"},
		"no more than for certain": {36 * time.Second, 30 * time.Second, "clock is 6s behind"},
	} {
		before := time.Now()
		got := strings.Join(clockWarning(before, before.Add(tt.redis), before.Add(tt.took)), "\n")
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
