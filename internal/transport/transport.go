// Package transport says how a composed mail leaves. Its sub-packages are the
// only ones that know go-mail: compose writes the mail, smtp hands it over.
package transport

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// ErrBusy says that every connection of this account is taken; nothing was sent.
var ErrBusy = errors.New("every connection of this account is taken")

// A Mail is ready to leave.
type Mail struct {
	JobID       string   // for logs
	ReversePath string   // MAIL FROM, without angle brackets; "" is the null path
	Recipients  []string // RCPT TO, as given; the transport makes A-labels
	Body        []byte   // the whole RFC 5322 message, CRLF line ends, not dot-stuffed
	// UTF8 is the same with addresses in its header that need SMTPUTF8 (RFC 6531): it goes
	// instead of Body where the server has it. Nil: there are none. Without a Body there
	// is no other form of the mail.
	UTF8 []byte
}

// Text is the mail for a server with SMTPUTF8, or for one without: nil if it has no such
// form.
func (m *Mail) Text(smtputf8 bool) []byte {
	if smtputf8 && m.UTF8 != nil {
		return m.UTF8
	}
	return m.Body
}

// Arm is called once, after the server took at least one recipient and before
// anything irrevocable: before the final dot, or before an API request with the
// mail is sent. accepted are the indexes of the recipients that will get the
// mail. An error means: do not send; it is returned from Send unchanged.
type Arm func(ctx context.Context, accepted []int) error

// A TokenSource gives the OAuth2 access token of an account. rejected is the
// token that a server has just refused, or zero: the source does not give that
// one again. The error is a *failure.Failure of stage token.
type TokenSource func(ctx context.Context, rejected secret.String) (secret.String, error)

// A Verdict is what the server said about one recipient. A nil Failure means
// that it has taken the mail for this recipient.
type Verdict struct {
	Failure  *failure.Failure
	Code     int    // of the acceptance: the reply after the dot
	Enhanced string //
	Text     string // of the acceptance, scrubbed, one line
}

// An Outcome has one verdict per recipient, in the order of Mail.Recipients.
type Outcome struct {
	Host     string // host:port spoken to
	Verdicts []Verdict
}

// AllFailed is an outcome in which every one of n recipients has the same failure.
func AllFailed(host string, n int, f *failure.Failure) Outcome {
	out := Outcome{Host: host, Verdicts: make([]Verdict, n)}
	for i := range out.Verdicts {
		out.Verdicts[i].Failure = f
	}
	return out
}
