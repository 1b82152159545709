package rohrpost

import "time"

// State is where a job stands.
type State string

// The states of a job: six on the way, six at the end.
const (
	Scheduled State = "scheduled" // waits for its NotBefore, or the time it was put off to
	Queued    State = "queued"    // waits for a worker
	Sending   State = "sending"   // the final dot may be out
	Deferred  State = "deferred"  // waits for the next attempt
	Parked    State = "parked"    // waits for working settings of its account

	Accepted  State = "accepted"  // every recipient's server took it
	Partly    State = "partly"    // some recipients were accepted, the others failed
	Failed    State = "failed"    // no recipient was accepted
	Uncertain State = "uncertain" // held: the server may have taken it
	Expired   State = "expired"   // its time ran out
	Canceled  State = "canceled"
	Bounced   State = "bounced" // accepted, and reported undeliverable later
)

// Final reports whether nothing more happens to the job by itself.
func (s State) Final() bool {
	switch s {
	case Accepted, Partly, Failed, Uncertain, Expired, Canceled, Bounced:
		return true
	}
	return false
}

// RecipientState is where one recipient of a job stands.
type RecipientState string

// The states of a recipient.
const (
	RecipientWaiting    RecipientState = "waiting"
	RecipientAccepted   RecipientState = "accepted"
	RecipientDeferred   RecipientState = "deferred"
	RecipientFailed     RecipientState = "failed"
	RecipientUncertain  RecipientState = "uncertain"
	RecipientSuppressed RecipientState = "suppressed"
	RecipientBounced    RecipientState = "bounced"
)

// A Receipt says that a message is safely in the queue.
type Receipt struct {
	ID        string `json:"id"`
	MessageID string `json:"message_id"` // with angle brackets, as in the header; empty: the Status has it once the mail leaves
	// Duplicate is true when the id was known: the first receipt once more.
	Duplicate bool `json:"duplicate,omitempty"`
	// Warning says what may keep the mail from being read; empty: nothing is known.
	Warning string `json:"warning,omitempty"`
}

// Status is what has become of a job.
type Status struct {
	ID         string            `json:"id"`
	MessageID  string            `json:"message_id"` // empty: the mail has not left yet
	Tenant     string            `json:"tenant,omitempty"`
	State      State             `json:"state"`
	Queue      string            `json:"queue,omitempty"` // critical, default or bulk; empty: not known
	Attempts   int               `json:"attempts"`        // deferrals by rate or park do not count
	Recipients []RecipientStatus `json:"recipients"`

	EnqueuedAt  time.Time  `json:"enqueued_at,omitzero"`
	UpdatedAt   time.Time  `json:"updated_at,omitzero"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"` // nil: none is planned

	Account  string            `json:"account,omitempty"` // the account of the last attempt
	Level    string            `json:"level,omitempty"`   // platform, tenant or user
	Why      string            `json:"why,omitempty"`     // why this account
	Metadata map[string]string `json:"metadata,omitempty"`
	// MaybeTwice is true when an attempt was repeated although an earlier one
	// may have been taken: some recipients may have the mail twice.
	MaybeTwice bool `json:"maybe_twice,omitempty"`
	// History is what has happened, oldest first: the first event and the latest
	// 39. A mail that was accepted at its first attempt has that one alone.
	History []Event `json:"history,omitempty"`
}

// LastFailure is the newest event that has a Category; the zero Event if there is
// none. That time ran out counts only if there was no other failure before.
func (s *Status) LastFailure() Event {
	var last Event
	for _, e := range s.History {
		if e.Category != "" && (e.Class != "expired" || last.Category == "") {
			last = e
		}
	}
	return last
}

// RecipientStatus is the last reply for one recipient.
type RecipientStatus struct {
	Address    string         `json:"address"`
	State      RecipientState `json:"state"`
	Code       int            `json:"code,omitempty"`       // SMTP reply code or HTTP status
	Enhanced   string         `json:"enhanced,omitempty"`   // RFC 3463, as "5.1.1"
	Diagnostic string         `json:"diagnostic,omitempty"` // the server's text, scrubbed
}
