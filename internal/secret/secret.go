package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// ErrRedacted says that a printed secret was read back in place of the secret.
var ErrRedacted = errors.New(redacted + " stands where a secret should: it was printed, not stored")

// A String is a secret. However it is printed, logged or marshaled, it reads
// "[redacted]"; an empty one reads "". Only Reveal gives the value. Compare two
// with Equal: there is no ==.
type String struct {
	// A closure, because nothing looks into one: in an unexported field of
	// another package fmt cannot call Format and prints what reflection finds,
	// and tools that show differences follow pointers too.
	reveal func() string
}

// New wraps a secret.
func New(value string) String {
	if value == "" {
		return String{}
	}
	return String{reveal: func() string { return value }}
}

// Reveal is the secret itself: for a login, never for a log.
func (s String) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret.
func (s String) IsZero() bool { return s.reveal == nil }

// Equal reports whether both hold the same value, in a time that does not tell
// how much of it is the same.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String is "[redacted]", or "" for the empty secret.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format is String for every verb, with quotes for %q.
func (s String) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText covers JSON, YAML and everything else that encodes text.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from showing the value.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText reads a secret from a configuration file. The error is
// ErrRedacted for the text that String gives.
func (s *String) UnmarshalText(b []byte) error {
	if string(b) == redacted {
		return ErrRedacted
	}
	*s = New(string(b))
	return nil
}
