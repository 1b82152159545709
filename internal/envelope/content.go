package envelope

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
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
func takeOut(j *payload.Job) (*payload.Job, []byte, error) {
	line := content{Subject: j.Subject, Headers: j.Headers, TextLen: len(j.Text), HTMLLen: len(j.HTML)}
	readable := *j
	readable.Subject, readable.Headers, readable.Text, readable.HTML = "", nil, "", ""
	readable.Files = make([]payload.File, len(j.Files))
	for i, f := range j.Files {
		line.Files = append(line.Files, file{f.Name, f.ContentType, f.ContentID})
		readable.Files[i] = payload.File{Role: f.Role, Digest: f.Digest, Size: f.Size}
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
func putBack(j *payload.Job, plain []byte) (*payload.Job, error) {
	head, bodies, _ := bytes.Cut(plain, []byte{'\n'})
	var line content
	if err := json.Unmarshal(head, &line); err != nil {
		return nil, fmt.Errorf("%w: what is sealed is no content", payload.ErrMalformed)
	}
	if line.TextLen < 0 || line.HTMLLen < 0 || line.TextLen+line.HTMLLen != len(bodies) || len(line.Files) != len(j.Files) {
		return nil, fmt.Errorf("%w: what is sealed does not fit its payload", payload.ErrMalformed)
	}
	full := *j
	full.Sealed = nil
	full.Subject, full.Headers = line.Subject, line.Headers
	full.Text, full.HTML = string(bodies[:line.TextLen]), string(bodies[line.TextLen:])
	full.Files = make([]payload.File, len(j.Files))
	for i, f := range line.Files {
		full.Files[i] = payload.File{
			Name: f.Name, ContentType: f.ContentType, ContentID: f.ContentID,
			Role: j.Files[i].Role, Digest: j.Files[i].Digest, Size: j.Files[i].Size,
		}
	}
	return &full, nil
}
