package errorlog

import (
	"bytes"
	"encoding/json"
	"time"
)

// jsonlFile writes {"header":{…}} and then an object a line.
type jsonlFile struct{ words *words }

// A record is an entry for readers: every key is there, in this order, and null
// stands for no next attempt.
type record struct {
	Time        stamp             `json:"time"`
	Tenant      string            `json:"tenant"`
	User        string            `json:"user"`
	JobID       string            `json:"job_id"`
	MessageID   string            `json:"message_id"`
	Attempt     int               `json:"attempt"`
	Account     string            `json:"account"`
	Level       string            `json:"level"`
	Host        string            `json:"host"`
	Stage       string            `json:"stage"`
	Code        int               `json:"code"`
	Enhanced    string            `json:"enhanced"`
	Diagnostic  string            `json:"diagnostic"`
	Category    string            `json:"category"`
	Class       string            `json:"class"`
	Recipients  []string          `json:"recipients"`
	More        int               `json:"recipients_more"` // beside those in recipients
	NextAttempt stamp             `json:"next_attempt"`
	Final       bool              `json:"final"`
	Delayed     string            `json:"delayed"` // "15m", "1h" or ""
	Metadata    map[string]string `json:"metadata"`
	Hint        string            `json:"hint"`
}

// A stamp is a time in timeLayout; the zero time is null.
type stamp time.Time

func (s stamp) MarshalJSON() ([]byte, error) {
	if t := time.Time(s); !t.IsZero() {
		return []byte(`"` + formatTime(t) + `"`), nil
	}
	return []byte("null"), nil
}

func (j jsonlFile) header(b *bytes.Buffer, h Header) error {
	return encodeLine(b, map[string]Header{"header": h})
}

func (j jsonlFile) entry(b *bytes.Buffer, e Entry) error {
	r := record{
		Time: stamp(e.Time), Tenant: e.Tenant, User: e.User, JobID: e.JobID, MessageID: e.MessageID,
		Attempt: e.Attempt, Account: e.Account, Level: e.Level, Host: e.Host, Stage: e.Stage,
		Code: e.Code, Enhanced: e.Enhanced, Diagnostic: e.Diagnostic, Category: e.Category, Class: e.Class,
		Recipients: e.Recipients, More: e.MoreRecipients, NextAttempt: stamp(e.NextAttempt), Final: e.Final, Delayed: delay(e.Delayed), Metadata: e.Metadata,
		Hint: e.hint(j.words),
	}
	if r.Recipients == nil {
		r.Recipients = []string{}
	}
	if r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	return encodeLine(b, r)
}

func (j jsonlFile) footer(b *bytes.Buffer, missing int64) error {
	return encodeLine(b, map[string]map[string]int64{"footer": {"missing": missing}})
}

// encodeLine leaves <, > and & as they are: this is a file, not a web page.
func encodeLine(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
