package smtp

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// A path is an address fit for a command: checked, its domain in A-labels.
type path struct {
	address string // "" is the null path
	utf8    bool   // the local part needs SMTPUTF8 (RFC 6531 §3.4)
}

// An envelope is what MAIL and RCPT say.
type envelope struct {
	host    string
	mail    *transport.Mail
	reverse path
	rcpt    []recipient // those that can be asked for
}

type recipient struct {
	path
	index int // in Mail.Recipients
}

// newEnvelope checks the addresses once more, at the last place before they
// become commands. The ones that are none get their failure.
func newEnvelope(s *Server, m *transport.Mail, verdicts []transport.Verdict) *envelope {
	e := &envelope{host: s.Host, mail: m, rcpt: make([]recipient, 0, len(m.Recipients))}
	if m.ReversePath != "" {
		var err error
		if e.reverse, err = newPath(m.ReversePath); err != nil {
			failRest(verdicts, failure.Classify(failure.Cause{Stage: failure.StageMail, Err: err, Host: s.Host}))
			return e
		}
	}
	for i := range verdicts {
		p, err := newPath(m.Recipients[i])
		if err != nil {
			verdicts[i].Failure = failure.Classify(failure.Cause{Stage: failure.StageRcpt, Err: err, Host: s.Host})
			continue
		}
		e.rcpt = append(e.rcpt, recipient{path: p, index: i})
	}
	return e
}

func newPath(address string) (path, error) {
	if err := rohrpost.CheckAddress(address); err != nil {
		return path{}, err
	}
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return path{}, fmt.Errorf("%q: %w: %w", domain, err, rohrpost.ErrAddress)
		}
		address = local + "@" + ascii
	}
	return path{address: address, utf8: !isASCII(local)}, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// forServer are the recipients that this server can be asked for. The others
// get their failure; a message it cannot take fails for all.
func (e *envelope) forServer(x *extensions, verdicts []transport.Verdict) []recipient {
	refuse := func(stage failure.Stage, err error) *failure.Failure {
		return failure.Classify(failure.Cause{Stage: stage, Err: err, Host: e.host})
	}
	text := e.mail.Text(x.smtputf8)
	switch {
	case x.maxSize > 0 && len(text) > x.maxSize: // RFC 1870 §6.1
		failRest(verdicts, refuse(failure.StageMail, fmt.Errorf("%w: %d octets, allowed are %d", failure.ErrTooLarge, len(text), x.maxSize)))
		return nil
	case x.smtputf8:
		return e.rcpt
	case e.reverse.utf8, text == nil && e.mail.UTF8 != nil:
		failRest(verdicts, refuse(failure.StageMail, failure.ErrNeedsSMTPUTF8))
		return nil
	}
	asked := e.rcpt[:0:0]
	for _, r := range e.rcpt {
		if r.utf8 {
			verdicts[r.index].Failure = refuse(failure.StageRcpt, failure.ErrNeedsSMTPUTF8)
			continue
		}
		asked = append(asked, r)
	}
	return asked
}

// needsUTF8 tells whether the transaction needs SMTPUTF8: for an address of the envelope
// or of the header.
func (e *envelope) needsUTF8(x *extensions, asked []recipient) bool {
	if x.smtputf8 && e.mail.UTF8 != nil {
		return true
	}
	for _, r := range asked {
		if r.utf8 {
			return true
		}
	}
	return e.reverse.utf8
}
