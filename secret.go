package rohrpost

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

// A Secret is a password, key or token. However it is printed, logged or marshaled, it reads
// "[redacted]"; an empty one reads "". Only Reveal gives the value. Compare two
// with Equal: there is no ==.
type Secret struct {
	// A closure, because nothing looks into one: in an unexported field of
	// another package fmt cannot call Format and prints what reflection finds,
	// and tools that show differences follow pointers too.
	reveal func() string
}

// NewSecret wraps a secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return value }}
}

// Reveal is the secret itself: for a login, never for a log.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether both hold the same value, in a time that does not tell
// how much of it is the same.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String is "[redacted]", or "" for the empty secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format is String for every verb, with quotes for %q.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText covers JSON, YAML and everything else that encodes text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from showing the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText reads a secret from a configuration file. The error is
// ErrRedacted for the text that String gives.
func (s *Secret) UnmarshalText(b []byte) error {
	if string(b) == redacted {
		return ErrRedacted
	}
	*s = NewSecret(string(b))
	return nil
}
