package ledger

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost"
)

// historyTail is how many of the latest events a record keeps, besides the first
// (see record.lua).
const historyTail = 39

// storedEvent is a rohrpost.Event with names as short as those of the hash.
type storedEvent struct {
	Time        time.Time      `json:"t"`
	State       rohrpost.State `json:"s"`
	Attempt     int            `json:"n,omitempty"`
	By          string         `json:"by,omitempty"`
	Account     string         `json:"ac,omitempty"`
	Level       string         `json:"lv,omitempty"`
	Why         string         `json:"w,omitempty"`
	Host        string         `json:"h,omitempty"`
	Stage       string         `json:"st,omitempty"`
	Category    string         `json:"ca,omitempty"`
	Class       string         `json:"cl,omitempty"`
	Code        int            `json:"c,omitempty"`
	Enhanced    string         `json:"e,omitempty"`
	Diagnostic  string         `json:"d,omitempty"`
	NextAttempt time.Time      `json:"x,omitzero"`
}

// encodeEvent writes an event with its times in whole milliseconds.
func encodeEvent(e rohrpost.Event) string {
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.NextAttempt = e.NextAttempt.UTC().Truncate(time.Millisecond)
	text, _ := json.Marshal(storedEvent(e)) // strings, numbers and times of this age cannot fail
	return string(text)
}

// history reads the events of a hash, oldest first; what cannot be read is left out.
func history(f map[string]string) []rohrpost.Event {
	n := atoi(f[fieldEvents])
	if n <= 0 {
		return nil
	}
	var events []rohrpost.Event
	read := func(i int) {
		var e storedEvent
		if json.Unmarshal([]byte(f[prefixEvent+strconv.Itoa(i)]), &e) == nil {
			events = append(events, rohrpost.Event(e))
		}
	}
	read(0)
	for i := max(1, n-historyTail); i < n; i++ {
		read(i)
	}
	return events
}

// onlyEvent is the history of a job that has none: it was accepted at its first
// attempt, of which the record says everything but the server.
func (r *Record) onlyEvent() rohrpost.Event {
	e := rohrpost.Event{
		Time: r.UpdatedAt, State: r.State, Attempt: r.Attempts, Account: r.Account, Level: r.Level, Why: r.Why,
	}
	if r.NextAttempt != nil {
		e.NextAttempt = *r.NextAttempt
	}
	for _, s := range r.Recipients {
		if s.Code != 0 || s.Diagnostic != "" {
			e.Code, e.Enhanced, e.Diagnostic = s.Code, s.Enhanced, s.Diagnostic
			break
		}
	}
	return e
}
