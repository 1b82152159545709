package payload

import (
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
)

var errJSON = errors.New("a Job is no JSON value: use Encode and Decode, or its Message")

// A Job is a message in the queue. Its attachments, its calendar and its raw message are
// blobs: they stand in Files, and these fields of the Message are empty. So are large
// bodies. What the message has in Unsubscribe is among its Headers.
type Job struct {
	rohrpost.Message
	MessageID  string    // with angle brackets; its domain may be pending until the mail first leaves
	EnqueuedAt time.Time // whole milliseconds
	TextDigest string    // the Text body is this blob, and Text is empty
	HTMLDigest string    // the same for HTML
	Files      []File
	// Bare: it is a tenant's job of payload version 1, whose Key is its id alone.
	Bare bool
	// Sealed is what the mail says, as only a worker can read it: its fields in the
	// Message and the names of Files are empty. Nil: they are as they were given.
	Sealed *Sealed
}

// A File is an attachment whose content is a blob.
type File struct {
	Name        string `json:"name,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	ContentID   string `json:"content_id,omitempty"`
	Role        Role   `json:"role,omitempty"`
	Digest      string `json:"digest"`
	Size        int64  `json:"size"` // bytes of the content, before it is sealed
}

// Role is what a File is to the mail. An older worker would send any as an attachment.
type Role string

// The roles. The zero value is an attachment.
const (
	Calendar Role = "calendar" // Content of the Calendar, whose Method is the Name
	Raw      Role = "raw"      // Raw of the Message
)

// Sealed is the part of a payload that is encrypted. Subject, headers, bodies and the
// names of attachments are in it; contents of attachments are sealed as blobs.
type Sealed struct {
	Key     string // the data key, itself sealed for the workers' keys
	Content []byte // encrypted together with Head, so that it is good for this mail alone
	Head    []byte // the line that Decode has read before it; Encode makes it anew
}

// Blobs are the digests of all blobs that the job needs: large bodies, then files.
func (j *Job) Blobs() []string {
	list := j.Bodies()
	for _, f := range j.Files {
		list = append(list, f.Digest)
	}
	return list
}

// Bodies are the digests of the bodies that are blobs.
func (j *Job) Bodies() []string {
	var list []string
	for _, d := range [...]string{j.TextDigest, j.HTMLDigest} {
		if d != "" {
			list = append(list, d)
		}
	}
	return list
}

// Due is the earliest time of the first attempt.
func (j *Job) Due() time.Time {
	if j.NotBefore.After(j.EnqueuedAt) {
		return j.NotBefore
	}
	return j.EnqueuedAt
}

// Key is the key of the job.
func (j *Job) Key() Key {
	if j.Bare {
		return KeyOf("", j.ID)
	}
	return KeyOf(j.Tenant, j.ID)
}

// MarshalJSON refuses: that of Message would drop what makes it a job.
func (Job) MarshalJSON() ([]byte, error) { return nil, errJSON }

// UnmarshalJSON refuses, as MarshalJSON does.
func (*Job) UnmarshalJSON([]byte) error { return errJSON }
