package producer

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A shelf takes the attachments and large bodies of a portion.
type shelf struct {
	blobs  blob.Set
	key    *envelope.Key // nil: they are not sealed
	sealed map[*byte][]byte
}

// add puts content aside that a mail needs until then, and returns its digest.
func (s *shelf) add(content []byte, user payload.Key, until time.Time) string {
	return s.blobs.Add(s.seal(content), string(user), until)
}

// seal encrypts content once, however many mails of the portion carry it.
func (s *shelf) seal(content []byte) []byte {
	if s.key == nil {
		return content
	}
	if len(content) == 0 {
		return s.key.Blob(content)
	}
	first := &content[0]
	if known := s.sealed[first]; len(known) == len(content)+envelope.BlobOverhead {
		return known
	}
	if s.sealed == nil {
		s.sealed = map[*byte][]byte{}
	}
	s.sealed[first] = s.key.Blob(content)
	return s.sealed[first]
}

// detach moves attachments and large bodies out of the job into blobs.
func (e *entry) detach(to *shelf, until time.Time) {
	job := e.job
	add := func(content []byte) string { return to.add(content, job.Key(), until) }
	if len(job.Text) > inlineBody {
		job.TextDigest, job.Text = add([]byte(job.Text)), ""
	}
	if len(job.HTML) > inlineBody {
		job.HTMLDigest, job.HTML = add([]byte(job.HTML)), ""
	}
	for _, a := range job.Attachments {
		job.Files = append(job.Files, payload.File{
			Name: a.Name, ContentType: a.ContentType, ContentID: a.ContentID, Digest: add(a.Content), Size: int64(len(a.Content)),
		})
	}
	if c := job.Calendar; c != nil {
		job.Files = append(job.Files, payload.File{Role: payload.Calendar, Name: c.Method, Digest: add([]byte(c.Content)), Size: int64(len(c.Content))})
	}
	if raw := job.Raw; len(raw) > 0 {
		job.Files = append(job.Files, payload.File{Role: payload.Raw, Digest: add(raw), Size: int64(len(raw))})
	}
	job.Attachments, job.Calendar, job.Raw = nil, nil, nil // the caller's list stays as it is
}
