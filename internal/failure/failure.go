package failure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Stage is how far an attempt had come (RFC 5321 §3 in order, then the APIs).
type Stage string

// The stages, in the order in which an attempt passes them.
const (
	StageWorker   Stage = "worker"   // before any connection: settings, composing, panic
	StageToken    Stage = "token"    // OAuth2 token endpoint
	StageConnect  Stage = "connect"  // name resolution and TCP
	StageTLS      Stage = "tls"      // handshake, implicit or after STARTTLS
	StageBanner   Stage = "banner"   // the server's greeting
	StageEHLO     Stage = "ehlo"     //
	StageSTARTTLS Stage = "starttls" // the command, not the handshake
	StageAuth     Stage = "auth"     //
	StageMail     Stage = "mail"     // MAIL FROM
	StageRcpt     Stage = "rcpt"     // RCPT TO
	StageData     Stage = "data"     // the DATA command and sending the body
	StageDot      Stage = "dot"      // after the final dot: the server may have the mail
	StageRemote   Stage = "remote"   // what another server than the account's own said: quoted in a reply, or in a bounce
	StageAPI      Stage = "api"      // Microsoft Graph or Gmail API request
)

// A Class says who has to act and whether to try again.
type Class string

// The classes.
const (
	Transient Class = "transient" // try again; the attempt counts
	Permanent Class = "permanent" // this recipient or mail has failed
	Throttle  Class = "throttle"  // the account waits; the attempt does not count
	Config    Class = "config"    // somebody must fix settings; NeedsPerson says whether the account is parked
	Uncertain Class = "uncertain" // the server may have the mail
	Expired   Class = "expired"   // time ran out
)

// A Reply is a server's answer: all lines of it, without code and hyphen.
type Reply struct {
	Code  int // three digits, or an HTTP status; 0: there was no reply
	Lines []string
}

// Text is all lines joined with " / ".
func (r Reply) Text() string { return strings.Join(r.Lines, " / ") }

// A Cause is what is known about a failure before it is classified. Reply, Err
// or both are set.
type Cause struct {
	Stage      Stage
	Reply      Reply
	Err        error         // network, TLS, context or settings error
	APICode    string        // error.code of Graph, Gmail or a token endpoint
	RetryAfter time.Duration // Retry-After header; 0: none
	Host       string        // name of the account's server, for provider rules
	Session    Session       // of the conversation, as far as it is known
	Now        time.Time     // for a time that the reply names; zero: time.Now()
	// Conceal takes out of a text what nobody may see of it; nil: nothing.
	Conceal func(string) string
}

// A Failure is a classified cause. It is an error of one line without secrets.
type Failure struct {
	Stage      Stage
	Class      Class
	Category   string        // one of Categories: auth_failed, mailbox_full …
	Rule       int           // number of the row that matched; picks the hint
	Code       int           // reply code, 0: none
	Enhanced   string        // RFC 3463, "" : none
	Diagnostic string        // scrubbed server or error text, one line
	RetryAfter time.Duration // not before; 0: the usual backoff
	cause      error
	stores     bool // the server takes a mail before it asks any other about it
}

// Error is "rcpt: 550 5.1.1 recipient_unknown: <diagnostic>".
func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString(string(f.Stage))
	b.WriteByte(':')
	if f.Code != 0 {
		b.WriteByte(' ')
		b.WriteString(strconv.Itoa(f.Code))
	}
	if f.Enhanced != "" {
		b.WriteByte(' ')
		b.WriteString(f.Enhanced)
	}
	b.WriteByte(' ')
	b.WriteString(f.Category)
	if f.Diagnostic != "" {
		b.WriteString(": ")
		b.WriteString(f.Diagnostic)
	}
	return b.String()
}

// OfCentralSender is the failure of a mail whose From is the tenant's central
// sender address: if the server has refused the sender, that is the reason, and
// the hint says so.
func (f *Failure) OfCentralSender() *Failure {
	if f == nil || f.Category != "sender_rejected" {
		return f
	}
	c := *f
	c.Rule = centralSender
	return &c
}

// Following is a failure to get another access token, after the server has refused the
// one before: it shows what the server said. If there is no other token because that one
// was refused (ErrTokenRefused), the refusal is the failure.
func (f *Failure) Following(refused *Failure) *Failure {
	if errors.Is(f, ErrTokenRefused) {
		return refused
	}
	c := *f
	c.Diagnostic = Scrub(fmt.Sprintf("%s; the mail server had refused the token before: %d %s", f.Diagnostic, refused.Code, refused.Diagnostic))
	return &c
}

// Unwrap is the network or TLS error behind it, nil for a reply.
func (f *Failure) Unwrap() error { return f.cause }
