package trial

import (
	"errors"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Unavailable is an error that says that no worker has tried it, or that nobody knows.
// Its text is for everybody.
type Unavailable string

// Error is the text.
func (u Unavailable) Error() string { return string(u) }

// What there is of them.
var (
	ErrNoWorker   error = Unavailable("no worker is running, and the web part tries nothing itself: start one (rohrpost worker), then try again")
	ErrBusy       error = Unavailable("all workers are busy with other test mails: try again in a minute")
	ErrLost       error = Unavailable("the worker that tried it has ended: nobody knows whether a test mail went out. Look into the mailbox, then try again")
	ErrUnanswered error = Unavailable("the server took too long: nobody knows whether a test mail went out. Look into the mailbox, then try again")
	ErrAway       error = Unavailable("Redis does not answer: nobody knows whether a test mail went out. Look into the mailbox, then try again")
	ErrFailed     error = Unavailable("a worker could not try it: the operator finds the reason in the worker's log")
	ErrNoKey      error = Unavailable("settings with a secret that are not stored cannot be handed to a worker, because no key is set up: " +
		"the operator makes one (rohrpost keygen) and sets secrets.recipients for the web part")
	ErrWrongKey error = Unavailable("the worker cannot open what the web part has sealed: the operator sets secrets.identity_file " +
		"of all workers to a key that secrets.recipients of the web part names")
)

// ErrRunning says that a tenant has one test mail or examination under way.
var ErrRunning = errors.New("another test mail or examination of this tenant is under way: wait for its answer")

// identities are the errors that keep what they are on their way, by name.
var identities = map[string]error{
	"forbidden": redisstore.ErrForbidden, "locked": redisstore.ErrLocked, "unknown": redisstore.ErrUnknown, "conflict": redisstore.ErrConflict,
	"recipient": accounts.ErrRecipient,
	// Of these the text stays here: it may name files.
	"unusable": resolver.ErrUnusable, "wrong key": ErrWrongKey, "failed": ErrFailed,
}

// A problem is an error on its way.
type problem struct {
	Is    string               `json:"is,omitempty"`    // its name in identities
	Field *rohrpost.FieldError `json:"field,omitempty"` // the first one
	Text  string               `json:"text"`
}

// problemOf is what may be told of an error. unknown says that nothing was: the log
// must have it.
func problemOf(err error) (p problem, unknown bool) {
	if field, ok := errors.AsType[*rohrpost.FieldError](err); ok {
		return problem{Field: field, Text: err.Error()}, false
	}
	switch {
	case errors.Is(err, seal.ErrNoIdentity), errors.Is(err, seal.ErrOpen):
		return problem{Is: "wrong key", Text: ErrWrongKey.Error()}, false
	case errors.Is(err, resolver.ErrUnusable):
		return problem{Is: "unusable", Text: resolver.ErrUnusable.Error()}, false
	}
	for name, identity := range identities {
		if errors.Is(err, identity) {
			return problem{Is: name, Text: err.Error()}, false
		}
	}
	return problem{Is: "failed", Text: ErrFailed.Error()}, true
}

// err is the error again.
func (p *problem) err() error {
	switch {
	case p == nil:
		return nil
	case p.Field != nil:
		return told{p.Text, p.Field}
	case identities[p.Is] != nil:
		return told{p.Text, identities[p.Is]}
	}
	return ErrFailed
}

// told is an error that a worker has told.
type told struct {
	text string
	is   error
}

func (t told) Error() string { return t.text }
func (t told) Unwrap() error { return t.is }
