package failure

import (
	"crypto/x509"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	header := func(d time.Duration, c Cause) Cause {
		c.RetryAfter = d
		return c
	}
	for _, tt := range []struct {
		name  string
		cause Cause
		want  time.Duration
	}{
		{"none named", reply(StageRcpt, 450, "xyzzy"), 0},
		{"seconds", reply(StageRcpt, 450, "Please retry in 90 seconds"), 90 * time.Second},
		{"minutes", reply(StageRcpt, 451, "4.3.0 try again in 7 minutes"), 7 * time.Minute},
		{"hours", reply(StageRcpt, 451, "try again after 2 hours"), 2 * time.Hour},
		{"broken over two lines", reply(StageRcpt, 451, "4.3.0 try again|4.3.0 in 7 minutes"), 7 * time.Minute},
		{"German", reply(StageRcpt, 451, "Bitte erneut in 3 Stunden"), 3 * time.Hour},
		{"a number that is no pause", reply(StageRcpt, 451, "try again, ticket 77"), 0},
		{"bounded above", reply(StageRcpt, 451, "try again in 999999 hours"), 4 * time.Hour},
		{"bounded above, for everybody", reply(StageMail, 451, "try again in 999999 hours"), 15 * time.Minute},
		{"bounded above, at the greeting", reply(StageBanner, 421, "too many connections, try again in 2 hours"), 15 * time.Minute},
		{"bounded above, as hearsay", reply(StageRcpt, 450, "rate limit, try again in 9999 hours"), 4 * time.Hour},
		{"header", header(20*time.Second, api(StageAPI, 429, "", "")), 20 * time.Second},
		{"header bounded", header(48*time.Hour, api(StageAPI, 429, "", "")), 24 * time.Hour},
		{"header before text", header(time.Minute, reply(StageRcpt, 450, "retry in 9 minutes")), time.Minute},
		{"negative header", header(-time.Minute, reply(StageRcpt, 450, "no")), 0},
		{"throttle without a time", api(StageAPI, 429, "", ""), time.Minute},
		{"time", api(StageAPI, 429, "", "User-rate limit exceeded.  Retry after 2026-05-01T10:15:30.250Z"), 15 * time.Minute},
		{"time, near", api(StageAPI, 429, "", "User-rate limit exceeded.  Retry after 2026-05-01T10:05:30.250Z"), 5*time.Minute + 30250*time.Millisecond},
		{"time with zone", reply(StageRcpt, 450, "try again after 2026-05-01T13:00:00+02:00"), time.Hour},
		{"time in the past", reply(StageRcpt, 450, "retry after 2026-05-01T09:00:00Z"), 0},
		{"a time that is only a stamp", reply(StageRcpt, 450, "busy [AM0PR 2026-05-01T10:00:05Z 08DC]"), 0},
		{"greylisting, short", reply(StageRcpt, 450, "4.2.0 Greylisted, retry in 30 seconds"), 30 * time.Second},
		{"greylisting, long", reply(StageRcpt, 450, "4.2.0 Greylisted for 600 seconds"), 10 * time.Minute},
		{"greylisting by the clock", reply(StageRcpt, 451, "4.7.1 Greylisting in action, please come back in 00:07:30"), 7*time.Minute + 30*time.Second},
		{"greylisting, no time", reply(StageRcpt, 450, "4.2.0 Greylisted"), 0},
		{"too many logins", reply(StageAuth, 454, "4.7.0 Too many login attempts, try again in 1 minute"), 15 * time.Minute},
		{"expired certificate", broken(StageTLS, certificate(x509.CertificateInvalidError{Reason: x509.Expired})), time.Hour},
		{"as the table says it", reply(StageMail, 450, "Rate limit. Retry in 12 minutes"), 12 * time.Minute},
		{"named is nearer than the rule's", reply(StageDot, 550, "5.4.5 Daily user sending limit exceeded, retry in 20 minutes"), 20 * time.Minute},
		{"time broken over two lines", reply(StageRcpt, 451, "4.7.0 Retry after|4.7.0 2026-05-01T10:30:00Z"), 30 * time.Minute},
		{"time that is none", reply(StageRcpt, 451, "Retry after 2026-13-41T10:30:00Z"), 0},
		{"our own turn", header(40*time.Second, broken(StageWorker, ErrRateWait)), 40 * time.Second},
		{"no turn of our own", broken(StageWorker, ErrBusyWait), 0},
		{"permanent has no pause", reply(StageRcpt, 550, "5.1.1 unknown, try again in 5 minutes"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.cause.Now = now
			if got := Classify(tt.cause).RetryAfter; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
