package api

import (
	"net/http"
	"testing"
	"time"
)

// TestRetryAfterHeader: no number of a server overflows, or reaches beyond a day.
func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "soon": 0, "0": 0, "20": 20 * time.Second, "86401": 24 * time.Hour, "9223372036854775807": 24 * time.Hour,
		"99999999999999999999": 0, "-1": 0, "-9223372036": 0, "-9223372036854775808": 0,
		"Fri, 01 May 2026 10:01:00 GMT": time.Minute, "Fri, 01 May 2026 09:00:00 GMT": 0, "Fri, 31 Dec 9999 23:59:59 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}
