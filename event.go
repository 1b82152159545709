package rohrpost

import "time"

// ByOperator marks the acts of a person: retry, cancel, reschedule.
const ByOperator = "operator"

// An Event is an entry in the history of a job: an attempt, the beginning of a
// wait, or what a person has done. Empty fields are not known, or do not apply.
type Event struct {
	Time    time.Time `json:"time"`
	State   State     `json:"state"`             // of the job after it
	Attempt int       `json:"attempt,omitempty"` // from 1; 0: a wait, or the act of a person
	By      string    `json:"by,omitempty"`      // ByOperator; empty: a worker

	Account string `json:"account,omitempty"` // as in Status
	Level   string `json:"level,omitempty"`
	Why     string `json:"why,omitempty"`
	Host    string `json:"host,omitempty"` // the server that was talked to

	// What stands for the attempt: its worst failure, or the server's acceptance.
	Stage      string `json:"stage,omitempty"`    // how far it had come: connect, auth, rcpt …
	Category   string `json:"category,omitempty"` // auth_failed, mailbox_full …; empty: no failure
	Class      string `json:"class,omitempty"`    // transient, permanent, throttle, config, uncertain, expired
	Code       int    `json:"code,omitempty"`     // SMTP reply code or HTTP status
	Enhanced   string `json:"enhanced,omitempty"` // RFC 3463, as "5.1.1"
	Diagnostic string `json:"diagnostic,omitempty"`

	NextAttempt time.Time `json:"next_attempt,omitzero"` // zero: none was planned
}
