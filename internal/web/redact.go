package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/rohrpost/rohrpost"
)

// summary is what asynqmon shows of a mail: numbers, and its id. Nothing that
// the mail says, nobody it is from or for.
func summary(_ string, payload []byte) string {
	job, err := rohrpost.DecodeJob(payload)
	if err != nil {
		return fmt.Sprintf("unreadable payload of %d bytes", len(payload))
	}
	var version struct {
		V int `json:"v"`
	}
	head, _, _ := bytes.Cut(payload, []byte{'\n'})
	_ = json.Unmarshal(head, &version) // DecodeJob has read it
	size := int64(0)
	for _, a := range job.Attachments {
		size += a.Size
	}
	if job.Sealed != nil {
		return fmt.Sprintf("v%d %s: %d bytes, %d recipients, sealed %d bytes, %d attachments of %d bytes",
			version.V, job.ID, len(payload), len(job.Recipients()), len(job.Sealed.Content), len(job.Attachments), size)
	}
	return fmt.Sprintf("v%d %s: %d bytes, %d recipients, text %d bytes, HTML %d bytes, %d attachments of %d bytes",
		version.V, job.ID, len(payload), len(job.Recipients()), len(job.Text), len(job.HTML), len(job.Attachments), size)
}

func resultSize(_ string, result []byte) string {
	if len(result) == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes", len(result))
}

// mailAddress finds addresses in what asynq keeps of an error, inside of JSON: an
// escape before the @ is taken whole, or what remains would be no JSON.
var mailAddress = regexp.MustCompile(
	`(?:\\u[0-9a-fA-F]{4}|\\.|[^\s@<>"\\,;:()\[\]])+@(?:\[[0-9A-Za-z.:]+\]|[\pL\pN_-]+(?:\.[\pL\pN_-]+)*)`)

// masked is an answer of asynqmon without mail addresses. No id and no name of a
// queue has an @.
func masked(body []byte) []byte { return mailAddress.ReplaceAll(body, []byte("***@***")) }

func rootURL() *url.URL { return &url.URL{Path: queuesRoot + "/"} }

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
