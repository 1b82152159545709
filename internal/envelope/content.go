package envelope

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/rohrpost/rohrpost"
)

// A content is what is sealed of a mail: this as a line of JSON, then the bodies as
// they are, as in an open payload.
type content struct {
	Subject string            `json:"subject,omitempty"`
	Headers []rohrpost.Header `json:"headers,omitempty"`
	Files   []file            `json:"files,omitempty"`
	TextLen int               `json:"text_len,omitempty"`
	HTMLLen int               `json:"html_len,omitempty"`
}

// A file is what is sealed of an attachment beside its content.
type file struct {
	Name        string `json:"name,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	ContentID   string `json:"content_id,omitempty"`
}

// takeOut is a job without what is to be sealed, and that as bytes.
func takeOut(j *rohrpost.Job) (*rohrpost.Job, []byte, error) {
	line := content{Subject: j.Subject, Headers: j.Headers, TextLen: len(j.Text), HTMLLen: len(j.HTML)}
	readable := *j
	readable.Subject, readable.Headers, readable.Text, readable.HTML = "", nil, "", ""
	readable.Attachments = make([]rohrpost.Attachment, len(j.Attachments))
	for i, a := range j.Attachments {
		line.Files = append(line.Files, file{a.Name, a.ContentType, a.ContentID})
		readable.Attachments[i] = rohrpost.Attachment{Digest: a.Digest, Size: a.Size}
	}
	plain, err := json.Marshal(line)
	if err != nil {
		return nil, nil, fmt.Errorf("encode payload: %w", err)
	}
	plain = append(plain, '\n')
	plain = append(plain, j.Text...)
	return &readable, append(plain, j.HTML...), nil
}

// putBack is takeOut's way back.
func putBack(j *rohrpost.Job, plain []byte) (*rohrpost.Job, error) {
	head, bodies, _ := bytes.Cut(plain, []byte{'\n'})
	var line content
	if err := json.Unmarshal(head, &line); err != nil {
		return nil, fmt.Errorf("%w: what is sealed is no content", rohrpost.ErrPayload)
	}
	if line.TextLen < 0 || line.HTMLLen < 0 || line.TextLen+line.HTMLLen != len(bodies) || len(line.Files) != len(j.Attachments) {
		return nil, fmt.Errorf("%w: what is sealed does not fit its payload", rohrpost.ErrPayload)
	}
	full := *j
	full.Sealed = nil
	full.Subject, full.Headers = line.Subject, line.Headers
	full.Text, full.HTML = string(bodies[:line.TextLen]), string(bodies[line.TextLen:])
	full.Attachments = make([]rohrpost.Attachment, len(j.Attachments))
	for i, f := range line.Files {
		full.Attachments[i] = rohrpost.Attachment{
			Name: f.Name, ContentType: f.ContentType, ContentID: f.ContentID, Digest: j.Attachments[i].Digest, Size: j.Attachments[i].Size,
		}
	}
	return &full, nil
}
