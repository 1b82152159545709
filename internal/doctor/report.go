package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// A Verdict is how a step, or all of them, went.
type Verdict string

// The verdicts.
const (
	Passed  Verdict = "passed"
	Warning Verdict = "warning" // it works, but something should change
	Failed  Verdict = "failed"
	Skipped Verdict = "skipped" // an earlier step failed; of a report: no connection was free to examine the server
)

// Milliseconds is a time that JSON shows as a whole number.
type Milliseconds time.Duration

// MarshalJSON is the number.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%d", time.Duration(m).Milliseconds()), nil
}

// UnmarshalJSON reads it back.
func (m *Milliseconds) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	*m = Milliseconds(time.Duration(n) * time.Millisecond)
	return err
}

// A Report is what the doctor has found, in the language of the request.
type Report struct {
	Host     string       `json:"host"` // host:port
	Language string       `json:"language"`
	Verdict  Verdict      `json:"verdict"` // the worst of the steps
	Summary  string       `json:"summary"`
	Took     Milliseconds `json:"took_ms"`
	Steps    []Step       `json:"steps"`

	// Hidden says that the report does not tell how a server was not reached, and
	// when: the answer should not, either.
	Hidden bool `json:"-"`
}

// A Step is one line of a report. Reply, Addresses and Remote are for operators.
type Step struct {
	Name    smtp.StepName `json:"name"`
	Title   string        `json:"title"` // the name, in the report's language
	Verdict Verdict       `json:"verdict"`
	Took    Milliseconds  `json:"took_ms"`
	Text    string        `json:"text"`            // one sentence
	Hints   []string      `json:"hints,omitempty"` // what to do, the first one first

	Category string        `json:"category,omitempty"`
	Class    failure.Class `json:"class,omitempty"`
	Code     int           `json:"code,omitempty"`
	Enhanced string        `json:"enhanced,omitempty"`
	Reply    string        `json:"reply,omitempty"` // or the error, scrubbed

	Addresses  []string `json:"addresses,omitempty"`
	Remote     string   `json:"remote,omitempty"`
	TLSVersion string   `json:"tls_version,omitempty"`
	Names      []string `json:"names,omitempty"`
	DaysLeft   *int     `json:"days_left,omitempty"` // of the certificate, negative after its end
	Methods    []string `json:"methods,omitempty"`
}

// width is that of a line for people, in characters.
const width = 100

// Text is the report as a list for people, in lines of 100 characters.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Host)
	titles := 0
	for _, s := range r.Steps {
		titles = max(titles, utf8.RuneCountInString(s.Title))
	}
	for _, s := range r.Steps {
		head := fmt.Sprintf("  %s  %-*s  %8s  ", s.Verdict.mark(), titles, s.Title, s.duration())
		margin := strings.Repeat(" ", utf8.RuneCountInString(head))
		paragraph(&b, head, margin, s.Text)
		for _, hint := range s.Hints {
			paragraph(&b, margin+"→ ", margin+"  ", hint)
		}
		if s.Reply != "" {
			paragraph(&b, margin+"« ", margin+"  ", s.Reply)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary)
	return b.String()
}

func (v Verdict) mark() string {
	return map[Verdict]string{Passed: "✓", Warning: "!", Failed: "✗", Skipped: "–"}[v]
}

func (s *Step) duration() string {
	d := time.Duration(s.Took)
	switch {
	case s.Verdict == Skipped:
		return ""
	case d < time.Millisecond:
		return "< 1 ms"
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}

// paragraph breaks a text into lines. A word that is longer than a line keeps one
// for itself.
func paragraph(w *strings.Builder, first, others, text string) {
	line, used := first, utf8.RuneCountInString(first)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > width:
			fmt.Fprintln(w, line)
			line, used = others, utf8.RuneCountInString(others)
		default:
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	fmt.Fprintln(w, line)
}
