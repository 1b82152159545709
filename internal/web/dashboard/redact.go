package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"

	"github.com/rohrpost/rohrpost/internal/payload"
)

// summary is what asynqmon shows of a mail: numbers, and its id. Nothing that
// the mail says, nobody it is from or for.
func summary(_ string, content []byte) string {
	job, err := payload.Decode(content)
	if err != nil {
		return fmt.Sprintf("unreadable payload of %d bytes", len(content))
	}
	var version struct {
		V int `json:"v"`
	}
	head, _, _ := bytes.Cut(content, []byte{'\n'})
	_ = json.Unmarshal(head, &version) // Decode has read it
	size := int64(0)
	for _, f := range job.Files {
		size += f.Size
	}
	if job.Sealed != nil {
		return fmt.Sprintf("v%d %s: %d bytes, %d recipients, sealed %d bytes, %d attachments of %d bytes",
			version.V, job.ID, len(content), len(job.Recipients()), len(job.Sealed.Content), len(job.Files), size)
	}
	return fmt.Sprintf("v%d %s: %d bytes, %d recipients, text %d bytes, HTML %d bytes, %d attachments of %d bytes",
		version.V, job.ID, len(content), len(job.Recipients()), len(job.Text), len(job.HTML), len(job.Files), size)
}

func resultSize(_ string, result []byte) string {
	if len(result) == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes", len(result))
}

// mailAddress finds addresses in what asynq keeps of an error. In what is no JSON by
// itself, an escape before the @ is taken whole.
var mailAddress = regexp.MustCompile(
	`(?:\\u[0-9a-fA-F]{4}|\\.|[^\s@<>"\\,;:()\[\]])+@(?:\[[0-9A-Za-z.:]+\]|[\pL\pN_-]+(?:\.[\pL\pN_-]+)*)`)

const addressMask = "***@***"

// masked is an answer of asynqmon without mail addresses. The ids of tasks stay: the
// buttons send them back, and an application may have put an @ into one.
func masked(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // sizes and times stay as they are
	var answer any
	if err := dec.Decode(&answer); err == nil && !dec.More() {
		if out, err := json.Marshal(maskedValue("", answer)); err == nil {
			return out
		}
	}
	return mailAddress.ReplaceAll(body, []byte(addressMask))
}

func maskedValue(key string, value any) any {
	switch v := value.(type) {
	case string:
		if key == "id" || key == "task_id" {
			return v
		}
		return mailAddress.ReplaceAllString(v, addressMask)
	case []any:
		for i := range v {
			v[i] = maskedValue(key, v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = maskedValue(name, v[name])
		}
	}
	return value
}

// An answer is a response in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// send passes the answer on.
func (a *answer) send(w http.ResponseWriter) {
	for key, values := range a.header {
		if key != "Content-Length" {
			w.Header()[key] = values
		}
	}
	w.WriteHeader(a.status)
	_, _ = a.body.WriteTo(w)
}
