package accountpages

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/words"
)

// liveType is what a script asks for that shows the steps while they are done: lines of
// JSON, each a step, then one with the page.
const liveType = "application/x-ndjson"

// A liveLine is one of them. Title and the like are of a step, Page and Status of the last
// one.
type liveLine struct {
	Title   string   `json:"title,omitempty"`
	Verdict string   `json:"verdict,omitempty"` // in words
	Text    string   `json:"text,omitempty"`
	Hints   []string `json:"hints,omitempty"`

	Status int    `json:"status,omitempty"` // that the page would have by itself
	Page   string `json:"page,omitempty"`
}

// A live is a response that has begun, and holds back the page while steps go out.
type live struct {
	out    http.ResponseWriter
	lang   string
	header http.Header // of the page: nobody sees it
	status int
	page   bytes.Buffer
}

// wantsSteps reports whether a script has sent the form.
func wantsSteps(r *http.Request) bool { return r.Header.Get("Accept") == liveType }

// newLive begins the response: no proxy on the way is to wait for its end.
func newLive(w http.ResponseWriter, lang string) *live {
	h := w.Header()
	h.Set("Content-Type", liveType)
	h.Set("X-Accel-Buffering", "no") // nginx
	h.Set("Cache-Control", "no-store, no-transform")
	w.WriteHeader(http.StatusOK)
	l := &live{out: w, lang: lang, header: http.Header{}, status: http.StatusOK}
	l.flush()
	return l
}

func (l *live) flush() { _ = http.NewResponseController(l.out).Flush() } // a browser that has gone is noticed elsewhere

func (l *live) say(line liveLine) {
	_ = json.NewEncoder(l.out).Encode(line)
	l.flush()
}

// step tells of a step that is done.
func (l *live) step(s doctor.Step) {
	l.say(liveLine{Title: s.Title, Verdict: words.Of(l.lang, words.Verdict, string(s.Verdict)), Text: s.Text, Hints: s.Hints})
}

// end sends the page.
func (l *live) end() { l.say(liveLine{Status: l.status, Page: l.page.String()}) }

// Header implements http.ResponseWriter.
func (l *live) Header() http.Header { return l.header }

// WriteHeader implements http.ResponseWriter.
func (l *live) WriteHeader(status int) { l.status = status }

// Write implements http.ResponseWriter.
func (l *live) Write(b []byte) (int, error) { return l.page.Write(b) }
