package trial

import (
	"encoding/json"
	"fmt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A kind is what is to be done.
type kind string

const (
	testMail    kind = "test mail"
	examination kind = "examination"
	release     kind = "release"
)

// A request is an accounts.Try on its way. Somebody who may write to Redis may make one up:
// it says no more than what a web part says, and is sealed so that no part of it can be
// put into another one.
type request struct {
	Kind     kind              `json:"kind"`
	Who      redisstore.Actor  `json:"who"`
	Place    resolver.Place    `json:"place"`
	To       rohrpost.Address  `json:"to"`
	Person   string            `json:"person,omitempty"`
	Language string            `json:"language,omitempty"`
	Unsaved  *resolver.Entry   `json:"unsaved,omitempty"`
	Secrets  map[string]string `json:"secrets,omitempty"` // of Unsaved, by key: its own print as [redacted]
	Steps    bool              `json:"steps,omitempty"`   // are to be told while they are done
}

// purpose keeps what is sealed for something else from being read as a request.
func purpose() seal.Purpose { return seal.Purpose{"secret": "trial"} }

// encode is a request as text: sealed if there is a key to seal for. Without one only
// what holds no secret can travel; the error is ErrNoKey.
func encode(k kind, t *accounts.Try, box *seal.Box) (string, error) {
	r := request{Kind: k, Who: t.Who, Place: t.Place, To: t.To, Person: t.Person, Language: t.Language, Secrets: map[string]string{}, Steps: t.Seen != nil}
	if t.Unsaved != nil {
		unsaved := *t.Unsaved
		r.Unsaved = &unsaved
		if unsaved.Account = unsaved.Account.Clone(); unsaved.Account != nil {
			for key, value := range unsaved.Account.Secrets() {
				if !value.IsZero() {
					r.Secrets[key], *value = value.Reveal(), secret.String{}
				}
			}
		}
	}
	text, err := json.Marshal(r)
	switch {
	case err != nil:
		return "", fmt.Errorf("trial: %w", err)
	case box.CanSeal():
		return box.Seal(secret.New(string(text)), purpose())
	case len(r.Secrets) > 0:
		return "", ErrNoKey
	}
	return string(text), nil
}

// decode reads a request. Of one that asks for steps, Seen takes them to nobody yet. The
// error is that of the box, or that it cannot be read.
func decode(text string, box *seal.Box) (kind, accounts.Try, error) {
	if seal.IsSealed(text) {
		open, err := box.Open(text, purpose())
		if err != nil {
			return "", accounts.Try{}, err
		}
		text = open.Reveal()
	}
	var r request
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return "", accounts.Try{}, fmt.Errorf("trial: the request is of another version: %w", err)
	}
	if r.Unsaved != nil && r.Unsaved.Account != nil {
		for key, value := range r.Unsaved.Account.Secrets() {
			*value = secret.New(r.Secrets[key])
		}
	}
	t := accounts.Try{Who: r.Who, Place: r.Place, To: r.To, Person: r.Person, Language: r.Language, Unsaved: r.Unsaved}
	if r.Steps {
		t.Seen = func(doctor.Step) {}
	}
	return r.Kind, t, nil
}
