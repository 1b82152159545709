package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost"
)

// Version is the newest version: this package reads it and every older one.
// A field that an older worker may overlook does not raise it.
//
//   - 1: the job's Key is its id. The jobs of the platform are still written so.
//   - 2: the job's Key names its tenant, too: an older worker would look for it in
//     another's place.
//   - 3: what the mail says is sealed.
//   - 4: a File has a Role. What the mail says may be sealed, too.
const Version = roleVersion

const (
	sealedVersion = 3
	roleVersion   = 4
)

var (
	// ErrVersion says that a newer program wrote the payload. The job must wait for
	// a worker that knows it, not fail.
	ErrVersion = errors.New("payload of a newer version")
	// ErrMalformed says that the bytes are no payload at all.
	ErrMalformed = errors.New("malformed payload")

	errAttached = errors.New("encode payload: its attachments, calendar or raw message are no blobs yet")
)

// version is that of the job's payload.
func (j *Job) version() int {
	switch {
	case slices.ContainsFunc(j.Files, func(f File) bool { return f.Role != "" }):
		return roleVersion
	case j.Sealed != nil:
		return sealedVersion
	case j.Bare || j.Tenant == "":
		return 1
	}
	return 2
}

// A line is the first line of a payload. It is read for every attempt, so it
// has nothing that encoding/json reads slowly: addresses are plain objects and
// times are Unix milliseconds. TextLen and HTMLLen are the lengths of the raw
// bodies that follow the line: as JSON strings they cost a fifth of a worker's
// time.
type line struct {
	Version     int                  `json:"v"`
	Key         string               `json:"key,omitempty"` // that opens what follows the line
	MessageID   string               `json:"message_id"`
	EnqueuedAt  int64                `json:"enqueued_at"`
	ID          string               `json:"id,omitempty"`
	Tenant      string               `json:"tenant,omitempty"`
	User        rohrpost.User        `json:"user,omitzero"`
	Origin      rohrpost.Origin      `json:"origin,omitempty"`
	Category    rohrpost.Category    `json:"category,omitempty"`
	Subject     string               `json:"subject,omitempty"`
	Headers     []rohrpost.Header    `json:"headers,omitempty"`
	Priority    rohrpost.Priority    `json:"priority,omitempty"`
	Metadata    map[string]string    `json:"metadata,omitempty"`
	OnUncertain rohrpost.OnUncertain `json:"on_uncertain,omitempty"`
	From        mailbox              `json:"from,omitzero"`
	ReplyTo     []mailbox            `json:"reply_to,omitempty"`
	To          []mailbox            `json:"to,omitempty"`
	Cc          []mailbox            `json:"cc,omitempty"`
	Bcc         []mailbox            `json:"bcc,omitempty"`
	NoTextPart  bool                 `json:"no_text_part,omitempty"`
	Files       []File               `json:"attachments,omitempty"`
	NotBefore   int64                `json:"not_before,omitempty"`
	Expires     int64                `json:"expires,omitempty"`
	TextLen     int                  `json:"text_len,omitempty"`
	HTMLLen     int                  `json:"html_len,omitempty"`
	TextDigest  string               `json:"text_digest,omitempty"`
	HTMLDigest  string               `json:"html_digest,omitempty"`
}

// mailbox is an Address in the one form that a payload has.
type mailbox rohrpost.Address

// Encode writes a payload: one line of JSON, then the text and the HTML body as raw
// bytes, or what is sealed. Times lose what is below a millisecond. A job whose
// Message still has Attachments, a Calendar or Raw is an error.
func Encode(j *Job) ([]byte, error) {
	if len(j.Attachments) > 0 || j.Calendar != nil || len(j.Raw) > 0 {
		return nil, errAttached
	}
	head := newLine(j)
	var sealed []byte
	if j.Sealed != nil {
		head.Key, sealed = j.Sealed.Key, j.Sealed.Content
	}
	var buf bytes.Buffer
	buf.Grow(1024 + len(j.Text) + len(j.HTML) + len(head.Key) + len(sealed))
	enc := json.NewEncoder(&buf) // ends the line
	enc.SetEscapeHTML(false)
	if err := enc.Encode(head); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	buf.WriteString(j.Text)
	buf.WriteString(j.HTML)
	buf.Write(sealed)
	return buf.Bytes(), nil
}

func newLine(j *Job) *line {
	return &line{
		Version: j.version(), MessageID: j.MessageID, EnqueuedAt: j.EnqueuedAt.UnixMilli(),
		ID: j.ID, Tenant: j.Tenant, User: j.User, Origin: j.Origin, Category: j.Category, Subject: j.Subject,
		Headers: j.Headers, Priority: j.Priority, Metadata: j.Metadata, OnUncertain: j.OnUncertain,
		From:    mailbox(j.From),
		ReplyTo: convert[mailbox](j.ReplyTo),
		To:      convert[mailbox](j.To),
		Cc:      convert[mailbox](j.Cc),
		Bcc:     convert[mailbox](j.Bcc),
		Files:   j.Files, NoTextPart: j.NoTextPart, NotBefore: toMilli(j.NotBefore), Expires: toMilli(j.Expires),
		TextLen: len(j.Text), HTMLLen: len(j.HTML), TextDigest: j.TextDigest, HTMLDigest: j.HTMLDigest,
	}
}

// Decode reads what Encode wrote. The error is ErrVersion or ErrMalformed, wrapped.
func Decode(b []byte) (*Job, error) {
	head, rest, _ := bytes.Cut(b, []byte{'\n'})
	l, err := decodeLine(head)
	switch {
	case l.Version > Version: // whatever else does not fit
		return nil, fmt.Errorf("%w: %d, known up to %d", ErrVersion, l.Version, Version)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := l.check(len(rest)); err != nil {
		return nil, err
	}
	j := l.job()
	if l.Key != "" {
		j.Sealed = &Sealed{Key: l.Key, Content: rest, Head: b[:len(b)-len(rest)]}
		return j, nil
	}
	j.Text = string(rest[:l.TextLen])
	j.HTML = string(rest[l.TextLen:])
	return j, nil
}

// check finds what does not fit together, in the line and in the number of bytes
// after it.
func (l *line) check(after int) error {
	switch {
	case l.Version < 1:
		return fmt.Errorf("%w: no version", ErrMalformed)
	case l.Version < roleVersion && (l.Key != "") != (l.Version == sealedVersion):
		return fmt.Errorf("%w: version %d, with a key or without", ErrMalformed, l.Version)
	case l.Key != "" && (l.TextLen != 0 || l.HTMLLen != 0):
		return fmt.Errorf("%w: sealed, with the length of a body", ErrMalformed)
	case l.Key != "":
	case l.TextLen < 0 || l.HTMLLen < 0 || l.TextLen+l.HTMLLen != after:
		return fmt.Errorf("%w: bodies have %d bytes, announced are %d and %d", ErrMalformed, after, l.TextLen, l.HTMLLen)
	}
	return nil
}

// job is the line as a job, without what follows it.
func (l *line) job() *Job {
	return &Job{
		Message: rohrpost.Message{
			ID: l.ID, Tenant: l.Tenant, User: l.User, Origin: l.Origin, Category: l.Category, Subject: l.Subject,
			Headers: l.Headers, Priority: l.Priority, Metadata: l.Metadata, OnUncertain: l.OnUncertain,
			From:       rohrpost.Address(l.From),
			ReplyTo:    convert[rohrpost.Address](l.ReplyTo),
			To:         convert[rohrpost.Address](l.To),
			Cc:         convert[rohrpost.Address](l.Cc),
			Bcc:        convert[rohrpost.Address](l.Bcc),
			NoTextPart: l.NoTextPart, NotBefore: fromMilli(l.NotBefore), Expires: fromMilli(l.Expires),
		},
		MessageID: l.MessageID, EnqueuedAt: time.UnixMilli(l.EnqueuedAt).UTC(), Files: l.Files,
		TextDigest: l.TextDigest, HTMLDigest: l.HTMLDigest,
		Bare: l.Version == 1 && l.Tenant != "",
	}
}

func decodeLine(b []byte) (l line, err error) {
	if !scanLine(b, &l) {
		l = line{}
		err = json.Unmarshal(b, &l)
	}
	return l, err
}

func convert[T, S rohrpost.Address | mailbox](list []S) []T {
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
