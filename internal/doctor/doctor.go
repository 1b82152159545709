package doctor

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// soon is how many days before its end a certificate gets a warning. Certificates
// that renew themselves do it a month before.
const soon = 14

// A Checker is a *smtp.Transport, which must dial through a netguard.Guard.
type Checker interface {
	Check(ctx context.Context, s smtp.Server, o smtp.CheckOptions) []smtp.Step
}

// Options of a Doctor.
type Options struct {
	Checker Checker
	// Resolver looks up the server's name for the step that shows it. Nil:
	// net.DefaultResolver.
	Resolver smtp.Resolver
	// Timeout is for a whole check. 0: 1 min.
	Timeout time.Duration
	// Now is the clock for certificates. Nil: time.Now.
	Now func() time.Time
}

// A Doctor examines servers. It is safe for concurrent use.
type Doctor struct{ options Options }

// New checks the options; it does no I/O.
func New(o Options) (*Doctor, error) {
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	var errs []error
	if o.Checker == nil {
		errs = append(errs, errors.New("doctor: no checker"))
	}
	if o.Timeout < 0 {
		errs = append(errs, errors.New("doctor: negative timeout"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Doctor{o}, nil
}

// A Request says what to examine and for whom.
type Request struct {
	Server   smtp.Server
	From     string // asked for as reverse-path; empty: it is not
	To       string // asked for as recipient; empty: it is not
	Language string // de, de-AT …; everything else is English
	// Operator is for whoever runs this system: the report has the server's
	// replies, scrubbed, and addresses.
	Operator bool
	// Guarded says that the server is dialed through a netguard.Guard. Nobody but an
	// operator is told then whether a name was not found or its address refused.
	Guarded bool
	// Seen is called with each step as soon as it is done and may be told; nil: nobody
	// looks. The report has them all, and may say more.
	Seen func(Step)
}

// Examine goes through everything up to a mail, and sends none. What goes wrong
// is in the report. Ask a Limiter before.
func (d *Doctor) Examine(ctx context.Context, r Request) Report {
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	start := time.Now()
	options := smtp.CheckOptions{From: r.From, To: r.To, Resolver: d.options.Resolver}
	if r.Seen != nil {
		options.Seen = (&live{writer: d.writer(&r)}).add
	}
	steps := d.options.Checker.Check(ctx, r.Server, options)
	hidden := !r.Operator && hide(&steps, r.Guarded)
	w := d.writer(&r)
	report := Report{
		Host:     net.JoinHostPort(printable(r.Server.Host), strconv.Itoa(r.Server.Port)),
		Language: string(w.lang),
		Verdict:  Passed,
		Hidden:   hidden,
	}
	if !hidden {
		report.Took = Milliseconds(time.Since(start))
	}
	var worst string
	for i := range steps {
		s := w.step(&steps[i])
		_, busy := busy(steps[i].Failure)
		report.Steps = append(report.Steps, s)
		switch {
		case busy:
			report.Verdict = Skipped
		case s.Verdict == Failed:
			report.Verdict, worst = Failed, s.Title
		case s.Verdict == Warning && report.Verdict == Passed:
			report.Verdict = Warning
		}
	}
	key := map[Verdict]string{Passed: "all well", Warning: "warnings", Failed: "it failed", Skipped: "no time"}[report.Verdict]
	report.Summary = w.lang.say(key, "{step}", worst)
	return report
}

// A writer puts the steps of one check into words.
type writer struct {
	request *Request
	lang    language
	now     time.Time
	found   []condition
}

func (d *Doctor) writer(r *Request) *writer {
	return &writer{request: r, lang: languageOf(r.Language), now: d.options.Now()}
}

func (w *writer) step(s *smtp.Step) Step {
	out := Step{Name: s.Name, Title: w.lang.say(string(s.Name) + " title"), Took: Milliseconds(s.Took)}
	if s.Skipped {
		out.Verdict, out.Text, out.Took = Skipped, w.lang.say("skipped"), 0
		return out
	}
	w.find(s)
	out.Verdict = Passed
	if f := s.Failure; f != nil {
		out.Verdict = Failed
		if f.Category == "greylisted" { // it is what a good server does
			out.Verdict = Warning
		}
		if _, busy := busy(f); busy {
			out.Verdict = Skipped
		}
		out.Category, out.Class, out.Code, out.Enhanced = f.Category, f.Class, f.Code, f.Enhanced
		if w.request.Operator {
			out.Reply = reply(f)
		}
		out.Hints = []string{f.HintAt(failure.Test(), string(w.lang))}
	}
	out.Text = w.text(s)
	w.facts(&out, s)
	for _, r := range rows() {
		if !r.fits(s.Name, strings.ToLower(w.request.Server.Host), w.request.Server.Port, s.Failure, w.found) {
			continue
		}
		if r.Instead {
			out.Hints = nil
		}
		out.Hints = append(out.Hints, w.lang.pick(r.EN, r.DE))
		if out.Verdict == Passed && !r.Note {
			out.Verdict = Warning
		}
	}
	return out
}

// find notes the conditions that this step shows.
func (w *writer) find(s *smtp.Step) {
	server := &w.request.Server
	is := func(c condition, holds bool) {
		if holds {
			w.found = append(w.found, c)
		}
	}
	switch s.Name {
	case smtp.StepSettings:
		is(password, server.Authentication && server.Token == nil)
		is(unencrypted, server.Encryption == smtp.None)
	case smtp.StepConnect:
		is(notAllowed, s.Failure != nil && netguard.Detail(s.Failure) != "")
	case smtp.StepEHLO:
		is(startTLSOffered, s.STARTTLS)
	case smtp.StepCertificate:
		is(endsSoon, s.Failure == nil && w.days(s.NotAfter) < soon)
	}
}

// reply is what an operator sees of a failure.
func reply(f *failure.Failure) string {
	return cmp.Or(netguard.Detail(f), f.Diagnostic)
}

// days are the full days from now to t, negative if t has been.
func (w *writer) days(t time.Time) int { return int(math.Floor(t.Sub(w.now).Hours() / 24)) }
