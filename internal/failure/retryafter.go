package failure

import (
	"strconv"
	"time"
)

const (
	// "try again in 5 minutes", "Greylisted for 300 seconds", "retry after 30s"
	spanPattern = `(?:retry|again|wait|grey-?list\w{0,6}|gray-?list\w{0,6}|come back|erneut|wieder)[^.;/\d]{0,40}(\d{1,6}) ?(s|sec|secs|seconds?|sekunden?|m|min|mins|minutes?|minuten?|h|hours?|stunden?)\b`
	// "come back in 00:04:48"
	clockPattern = `(?:retry|again|wait|grey-?list\w{0,6}|gray-?list\w{0,6}|come back)[^.;/\d]{0,40}(\d{2}):(\d{2}):(\d{2})\b`
	// "Retry after 2026-05-01T10:00:00Z" (Gmail API)
	timePattern = `(?:retry|again|until|not before)[^.;/\d]{0,40}(\d{4}-\d{2}-\d{2}t\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:z|[+-]\d{2}:\d{2}))`
)

// pauses are the ways in which a text names a pause.
type pauses struct{ span, clock, time *pattern }

// named is the pause that the server asks for in its text; 0 is none.
func named(c *Cause, q *query) time.Duration {
	ways := &table().pauses
	if p := ways.time.find(q.text); p != nil {
		now := c.Now
		if now.IsZero() {
			now = time.Now()
		}
		at, err := time.Parse(time.RFC3339, upperZone(p[1]))
		if err != nil {
			return 0
		}
		return max(0, at.Sub(now))
	}
	if p := ways.clock.find(q.text); p != nil {
		return count(p[1], time.Hour) + count(p[2], time.Minute) + count(p[3], time.Second)
	}
	if p := ways.span.find(q.text); p != nil {
		unit := time.Second
		switch p[2][:1] {
		case "m":
			unit = time.Minute
		case "h":
			unit = time.Hour
		}
		if p[2] == "stunde" || p[2] == "stunden" {
			unit = time.Hour
		}
		return count(p[1], unit)
	}
	return 0
}

func count(digits string, unit time.Duration) time.Duration {
	n, _ := strconv.Atoi(digits) // at most six digits
	return time.Duration(n) * unit
}

// upperZone undoes the lower case of T and Z, which time.RFC3339 wants large.
func upperZone(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == 't' || c == 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}
