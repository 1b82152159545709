package errorlog

import (
	"bytes"
	"encoding/json"
	"time"
)

// An Entry is one failed attempt, or the failed part of one. Its JSON form is
// the one in Redis; [Write] and [Log.Export] write the one for readers.
type Entry struct {
	Time       time.Time `json:"time"` // of the failure, whole milliseconds. Zero: now
	Tenant     string    `json:"-"`    // empty: the platform itself; the stream knows it
	User       string    `json:"user,omitempty"`
	JobID      string    `json:"job_id,omitempty"`
	MessageID  string    `json:"message_id,omitempty"`
	Attempt    int       `json:"attempt,omitempty"` // from 1; 0: none was begun
	Account    string    `json:"account,omitempty"`
	Level      string    `json:"level,omitempty"`    // platform, tenant or user
	Host       string    `json:"host,omitempty"`     // host:port spoken to
	Stage      string    `json:"stage,omitempty"`    // how far the attempt came: connect, tls, auth, mail, rcpt, data, dot …
	Code       int       `json:"code,omitempty"`     // SMTP reply code or HTTP status; 0: there was no reply
	Enhanced   string    `json:"enhanced,omitempty"` // RFC 3463, as "5.1.1"
	Diagnostic string    `json:"diagnostic,omitempty"`
	Category   string    `json:"category,omitempty"`
	Class      string    `json:"class,omitempty"`      // permanent, transient, config, throttle, uncertain or expired
	Recipients []string  `json:"recipients,omitempty"` // the ones concerned, not all of the mail; the log keeps 20
	// MoreRecipients is how many are concerned beside those in Recipients.
	MoreRecipients int `json:"recipients_more,omitempty"`
	// NextAttempt is zero when none is planned: the failure is final, or the job
	// waits for somebody.
	NextAttempt time.Time `json:"next_attempt,omitzero"`
	Final       bool      `json:"final,omitempty"`
	// Tried is for how long the mail had been tried when the failure became final. 0: it
	// is not final, or the first attempt was the last.
	Tried time.Duration `json:"tried,omitempty"`
	// Delayed is for how long the mail has been waiting when that is told with this
	// entry: 15 minutes, or an hour. 0: it is not.
	Delayed  time.Duration     `json:"delayed,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"` // of the message
	// Rule is the row of the failure rules that matched. It picks the hint.
	Rule int `json:"rule,omitempty"`
}

// stored is an entry as it lies in the stream.
type stored struct {
	Entry
	RecipientHMACs []string `json:"recipient_hmacs,omitempty"`
}

// store brings the entry into the form that may be kept: single lines of bounded
// length, the first recipients only, masked unless show.
func (e Entry) store(hmacKey string, show bool) stored {
	s := stored{Entry: e.firstRecipients()}
	s.Time = e.Time.UTC().Truncate(time.Millisecond)
	if !e.NextAttempt.IsZero() {
		s.NextAttempt = e.NextAttempt.UTC().Truncate(time.Millisecond)
	}
	s.RecipientHMACs = recipientHMACs(hmacKey, s.Recipients)
	if !show {
		masked := make([]string, len(s.Recipients))
		for i, r := range s.Recipients {
			masked[i] = maskAddress(r)
		}
		s.Recipients = masked
		s.Diagnostic = maskText(e.Diagnostic)
	}
	s.Entry = s.bound()
	return s
}

// unreadable is the category of an entry that this version cannot read. It is
// shown, not skipped: the log hides nothing, and one bad entry does not hide the rest.
const unreadable = "unreadable"

// encode is the form in Redis. It leaves <, > and & as they are, which would take
// six bytes each otherwise.
func (s stored) encode() ([]byte, error) {
	var b bytes.Buffer
	err := encodeLine(&b, s)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// decode reads what Append stored. at is the time of the stream id, which stands
// in for an entry that cannot be read.
func decode(tenant, text string, at time.Time) stored {
	var s stored
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		s = stored{Entry: Entry{Time: at, Category: unreadable, Diagnostic: kept("unreadable entry: " + err.Error())}}
	}
	s.Tenant = tenant
	s.Time = s.Time.In(at.Location())
	if !s.NextAttempt.IsZero() {
		s.NextAttempt = s.NextAttempt.In(at.Location())
	}
	return s
}
