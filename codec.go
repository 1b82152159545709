package rohrpost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// PayloadVersion is the version this package writes. It reads this one and
// every older one.
const PayloadVersion = 1

var (
	// ErrPayloadVersion says that a newer program wrote the payload. The job
	// must wait for a worker that knows it, not fail.
	ErrPayloadVersion = errors.New("payload of a newer version")
	// ErrPayload says that the bytes are no payload at all.
	ErrPayload = errors.New("malformed payload")
)

// A Job is a message in the queue. Attachments and large bodies are blobs: the
// job has their digest and size, the store has their bytes.
type Job struct {
	Message
	MessageID  string    // fixed at enqueue, so that every attempt is the same mail
	EnqueuedAt time.Time // whole milliseconds
	TextDigest string    // the Text body is this blob, and Text is empty
	HTMLDigest string
}

// Due is the earliest time of the first attempt.
func (j *Job) Due() time.Time {
	if j.NotBefore.After(j.EnqueuedAt) {
		return j.NotBefore
	}
	return j.EnqueuedAt
}

// jobLine is the first line of a payload. TextLen and HTMLLen are the lengths
// of the raw bodies that follow the line: as JSON strings they cost a fifth of
// a worker's time.
type jobLine struct {
	Version int `json:"v"`
	messageLine
	MessageID  string `json:"message_id"`
	EnqueuedAt int64  `json:"enqueued_at"` // Unix milliseconds
	TextLen    int    `json:"text_len,omitempty"`
	HTMLLen    int    `json:"html_len,omitempty"`
	TextDigest string `json:"text_digest,omitempty"`
	HTMLDigest string `json:"html_digest,omitempty"`
}

// EncodeJob writes a payload: one line of JSON, then the text and the HTML body
// as raw bytes. Content of attachments is not written.
func EncodeJob(j *Job) ([]byte, error) {
	line := jobLine{
		Version:     PayloadVersion,
		messageLine: lineOf(&j.Message),
		MessageID:   j.MessageID,
		EnqueuedAt:  j.EnqueuedAt.UnixMilli(),
		TextLen:     len(j.Text),
		HTMLLen:     len(j.HTML),
		TextDigest:  j.TextDigest,
		HTMLDigest:  j.HTMLDigest,
	}
	var buf bytes.Buffer
	buf.Grow(1024 + len(j.Text) + len(j.HTML))
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&line); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	buf.WriteString(j.Text)
	buf.WriteString(j.HTML)
	return buf.Bytes(), nil
}

// DecodeJob reads what EncodeJob wrote. The error is ErrPayloadVersion or
// ErrPayload, wrapped.
func DecodeJob(b []byte) (*Job, error) {
	head, bodies, found := bytes.Cut(b, []byte{'\n'})
	if !found {
		return nil, fmt.Errorf("%w: no line end", ErrPayload)
	}
	var line jobLine
	if err := json.Unmarshal(head, &line); err != nil {
		// The shape of a newer version may not fit: its number still counts.
		var version struct {
			V int `json:"v"`
		}
		if json.Unmarshal(head, &version) == nil && version.V > PayloadVersion {
			return nil, fmt.Errorf("%w: %d, known up to %d", ErrPayloadVersion, version.V, PayloadVersion)
		}
		return nil, fmt.Errorf("%w: %w", ErrPayload, err)
	}
	switch {
	case line.Version > PayloadVersion:
		return nil, fmt.Errorf("%w: %d, known up to %d", ErrPayloadVersion, line.Version, PayloadVersion)
	case line.Version < 1:
		return nil, fmt.Errorf("%w: no version", ErrPayload)
	case line.TextLen < 0 || line.HTMLLen < 0 || line.TextLen+line.HTMLLen != len(bodies):
		return nil, fmt.Errorf("%w: bodies have %d bytes, announced are %d and %d",
			ErrPayload, len(bodies), line.TextLen, line.HTMLLen)
	}
	j := &Job{
		Message:    line.messageLine.message(),
		MessageID:  line.MessageID,
		EnqueuedAt: time.UnixMilli(line.EnqueuedAt),
		TextDigest: line.TextDigest,
		HTMLDigest: line.HTMLDigest,
	}
	j.Text = string(bodies[:line.TextLen])
	j.HTML = string(bodies[line.TextLen:])
	return j, nil
}
