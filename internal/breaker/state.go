package breaker

import (
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Kind of state.
type Kind string

// The kinds.
const (
	Parked   Kind = "parked"   // an account with a refused login: blocked until somebody resets it
	Slow     Kind = "slow"     // an account whose server asked for a pause
	Down     Kind = "down"     // a server that cannot be reached
	Settings Kind = "settings" // an account some of whose mails wait for its settings; it blocks nothing
)

// A State says why an account or a server takes no mails. What has no state works.
type State struct {
	Kind        Kind      `json:"kind"`
	Subject     string    `json:"subject"`               // an account's id, or a prefix and host:port or an id
	Fingerprint string    `json:"fingerprint,omitempty"` // of the settings that were refused
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"`   // then one mail tries; zero: until a reset
	First       time.Time `json:"first,omitzero"`   // the Since of the first pause in a row; zero: this one
	Level       int       `json:"level,omitempty"`  // how many times in a row
	Server      string    `json:"server,omitempty"` // to which the mails that wait for settings were to go

	failure.Detail

	stored bool // it stands in Redis
}

const (
	// ServerPrefix stands before a server in its subject; an account and a server share no
	// name.
	ServerPrefix = "server/"
	// TenantsServer stands behind a server as the accounts that tenants have entered see it.
	TenantsServer  = " (tenants)"
	settingsPrefix = "settings/"
)

// serverSubject is the subject of a server.
func serverSubject(server string) string { return ServerPrefix + server }

func isServer(subject string) bool { return strings.HasPrefix(subject, ServerPrefix) }

// SettingsSubject is the subject of the mails that wait for an account's settings.
func SettingsSubject(account string) string { return settingsPrefix + account }

// Account is the id of the blocked account; empty: a server is blocked.
func (s *State) Account() string {
	if isServer(s.Subject) {
		return ""
	}
	return strings.TrimPrefix(s.Subject, settingsPrefix)
}

// Began is since when the account or server has not worked, over all pauses in a row.
func (s *State) Began() time.Time {
	if s.First.IsZero() {
		return s.Since
	}
	return s.First
}

func newState(kind Kind, subject string, since time.Time, f *failure.Failure) *State {
	return &State{Kind: kind, Subject: subject, Since: since.UTC(), Detail: f.Detail()}
}

// bound lets a state block for no longer than its pause, counted from when this process
// read it first: a process whose clock is an hour ahead would block for an hour more.
// before is what was known of the subject; nil: nothing.
func (s *State) bound(before *State, now time.Time) {
	if before != nil && before.Kind == s.Kind && before.Since.Equal(s.Since) && before.Level == s.Level {
		s.Until = before.Until
		return
	}
	if most := now.Add(s.Until.Sub(s.Since)).UTC(); s.Until.After(most) {
		s.Until = most
	}
}
