package rohrpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// PayloadVersion is the newest version: this package reads it and every older one.
// A field that an older worker may overlook does not raise it.
//
//   - 1: the job's Key is its id. The jobs of the platform are still written so.
//   - 2: the job's Key names its tenant, too: an older worker would look for it in
//     another's place.
//   - 3: what the mail says is sealed.
const PayloadVersion = sealedVersion

const sealedVersion = 3

var (
	// ErrPayloadVersion says that a newer program wrote the payload. The job
	// must wait for a worker that knows it, not fail.
	ErrPayloadVersion = errors.New("payload of a newer version")
	// ErrPayload says that the bytes are no payload at all.
	ErrPayload = errors.New("malformed payload")

	errJobJSON = errors.New("a Job is no JSON value: use EncodeJob and DecodeJob, or its Message")
)

// A Job is a message in the queue. Attachments and large bodies are blobs: the
// job has their digest and size, the store has their bytes.
type Job struct {
	Message
	MessageID  string    // fixed at enqueue, so that every attempt is the same mail
	EnqueuedAt time.Time // whole milliseconds
	TextDigest string    // the Text body is this blob, and Text is empty
	HTMLDigest string
	// Bare: it is a tenant's job of payload version 1, whose Key is its id alone.
	Bare bool
	// Sealed is what the mail says, as only a worker can read it: its fields in the
	// Message are empty. Nil: they are as they were given.
	Sealed *Sealed
}

// Sealed is the part of a payload that is encrypted. Subject, headers, bodies and the
// names of attachments are in it; contents of attachments are sealed as blobs.
type Sealed struct {
	Key     string // the data key, itself sealed for the workers' keys
	Content []byte // encrypted together with Head, so that it is good for this mail alone
	Head    []byte // the line that DecodeJob has read before it; EncodeJob makes it anew
}

// Digests name the blobs of the job: large bodies and attachments.
func (j *Job) Digests() []string {
	var list []string
	for _, d := range [...]string{j.TextDigest, j.HTMLDigest} {
		if d != "" {
			list = append(list, d)
		}
	}
	for _, a := range j.Attachments {
		list = append(list, a.Digest)
	}
	return list
}

// version is that of the job's payload.
func (j *Job) version() int {
	switch {
	case j.Sealed != nil:
		return sealedVersion
	case j.Bare || j.Tenant == "":
		return 1
	}
	return 2
}

// Due is the earliest time of the first attempt.
func (j *Job) Due() time.Time {
	if j.NotBefore.After(j.EnqueuedAt) {
		return j.NotBefore
	}
	return j.EnqueuedAt
}

// MarshalJSON refuses: that of Message would drop what makes it a job.
func (Job) MarshalJSON() ([]byte, error) { return nil, errJobJSON }

// UnmarshalJSON refuses, as MarshalJSON does.
func (*Job) UnmarshalJSON([]byte) error { return errJobJSON }

// jobLine is the first line of a payload. It is read for every attempt, so it
// has nothing that encoding/json reads slowly: addresses are plain objects and
// times are Unix milliseconds. TextLen and HTMLLen are the lengths of the raw
// bodies that follow the line: as JSON strings they cost a fifth of a worker's
// time.
type jobLine struct {
	Version    int    `json:"v"`
	Key        string `json:"key,omitempty"` // that opens what follows the line
	MessageID  string `json:"message_id"`
	EnqueuedAt int64  `json:"enqueued_at"`
	messageFields
	From        mailbox    `json:"from,omitzero"`
	ReplyTo     []mailbox  `json:"reply_to,omitempty"`
	To          []mailbox  `json:"to,omitempty"`
	Cc          []mailbox  `json:"cc,omitempty"`
	Bcc         []mailbox  `json:"bcc,omitempty"`
	Attachments []fileLine `json:"attachments,omitempty"`
	NotBefore   int64      `json:"not_before,omitempty"`
	Expires     int64      `json:"expires,omitempty"`
	TextLen     int        `json:"text_len,omitempty"`
	HTMLLen     int        `json:"html_len,omitempty"`
	TextDigest  string     `json:"text_digest,omitempty"`
	HTMLDigest  string     `json:"html_digest,omitempty"`
}

// mailbox is an Address in the one form that a payload has.
type mailbox Address

type fileLine struct {
	Name        string `json:"name,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	ContentID   string `json:"content_id,omitempty"`
	Digest      string `json:"digest"`
	Size        int64  `json:"size"`
}

// EncodeJob writes a payload: one line of JSON, then the text and the HTML body
// as raw bytes, or what is sealed. Content of attachments is not written, and times lose what is
// below a millisecond.
func EncodeJob(j *Job) ([]byte, error) {
	line := jobLine{
		Version: j.version(), MessageID: j.MessageID, EnqueuedAt: j.EnqueuedAt.UnixMilli(),
		messageFields: j.fields(),
		From:          mailbox(j.From),
		ReplyTo:       convert[mailbox](j.ReplyTo),
		To:            convert[mailbox](j.To),
		Cc:            convert[mailbox](j.Cc),
		Bcc:           convert[mailbox](j.Bcc),
		NotBefore:     toMilli(j.NotBefore), Expires: toMilli(j.Expires),
		TextLen: len(j.Text), HTMLLen: len(j.HTML), TextDigest: j.TextDigest, HTMLDigest: j.HTMLDigest,
	}
	for _, a := range j.Attachments {
		line.Attachments = append(line.Attachments, fileLine{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Digest: a.Digest, Size: a.Size,
		})
	}
	var sealed []byte
	if j.Sealed != nil {
		line.Key, sealed = j.Sealed.Key, j.Sealed.Content
	}
	var buf bytes.Buffer
	buf.Grow(1024 + len(j.Text) + len(j.HTML) + len(line.Key) + len(sealed))
	enc := json.NewEncoder(&buf) // ends the line
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&line); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	buf.WriteString(j.Text)
	buf.WriteString(j.HTML)
	buf.Write(sealed)
	return buf.Bytes(), nil
}

// DecodeJob reads what EncodeJob wrote. The error is ErrPayloadVersion or
// ErrPayload, wrapped.
func DecodeJob(b []byte) (*Job, error) {
	head, bodies, _ := bytes.Cut(b, []byte{'\n'})
	line, err := decodeLine(head)
	switch {
	case line.Version > PayloadVersion: // whatever else does not fit
		return nil, fmt.Errorf("%w: %d, known up to %d", ErrPayloadVersion, line.Version, PayloadVersion)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	case line.Version < 1:
		return nil, fmt.Errorf("%w: no version", ErrPayload)
	case (line.Key != "") != (line.Version >= sealedVersion):
		return nil, fmt.Errorf("%w: version %d, with a key or without", ErrPayload, line.Version)
	case line.Key != "" && (line.TextLen != 0 || line.HTMLLen != 0):
		return nil, fmt.Errorf("%w: sealed, with the length of a body", ErrPayload)
	case line.Key != "":
	case line.TextLen < 0 || line.HTMLLen < 0 || line.TextLen+line.HTMLLen != len(bodies):
		return nil, fmt.Errorf("%w: bodies have %d bytes, announced are %d and %d",
			ErrPayload, len(bodies), line.TextLen, line.HTMLLen)
	}
	j := &Job{
		Message: line.message(), MessageID: line.MessageID, EnqueuedAt: time.UnixMilli(line.EnqueuedAt).UTC(),
		TextDigest: line.TextDigest, HTMLDigest: line.HTMLDigest,
		Bare: line.Version == 1 && line.Tenant != "",
	}
	j.From = Address(line.From)
	j.ReplyTo = convert[Address](line.ReplyTo)
	j.To = convert[Address](line.To)
	j.Cc = convert[Address](line.Cc)
	j.Bcc = convert[Address](line.Bcc)
	j.NotBefore, j.Expires = fromMilli(line.NotBefore), fromMilli(line.Expires)
	if line.Key != "" {
		j.Sealed = &Sealed{Key: line.Key, Content: bodies, Head: b[:len(b)-len(bodies)]}
		bodies = nil
	}
	j.Text = string(bodies[:line.TextLen])
	j.HTML = string(bodies[line.TextLen:])
	for _, a := range line.Attachments {
		j.Attachments = append(j.Attachments, Attachment{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Digest: a.Digest, Size: a.Size,
		})
	}
	return j, nil
}

func decodeLine(b []byte) (line jobLine, err error) {
	if !scanLine(b, &line) {
		line = jobLine{}
		err = json.Unmarshal(b, &line)
	}
	return line, err
}

func convert[T, S Address | mailbox](list []S) []T {
	if len(list) == 0 {
		return nil
	}
	out := make([]T, len(list))
	for i, a := range list {
		out[i] = T(a)
	}
	return out
}

// toMilli keeps the zero time apart: it is 0, in a payload no time at all.
func toMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
