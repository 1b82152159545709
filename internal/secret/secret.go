// Package secret keeps passwords out of everything that is printed.
package secret

import "log/slog"

const redacted = "[redacted]"

// A String is a secret. However it is printed, logged or marshaled, it reads
// "[redacted]"; an empty one reads "". Only Reveal gives the value.
type String struct{ value string }

// New wraps a secret.
func New(value string) String { return String{value: value} }

// Reveal is the secret itself: for a login, never for a log.
func (s String) Reveal() string { return s.value }

// IsZero reports whether there is no secret.
func (s String) IsZero() bool { return s.value == "" }

// String is "[redacted]", or "" for the empty secret.
func (s String) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// GoString keeps %#v from showing the value.
func (s String) GoString() string { return s.String() }

// MarshalText covers JSON, YAML and everything else that encodes text.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from showing the value.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText reads a secret from a configuration file.
func (s *String) UnmarshalText(b []byte) error {
	s.value = string(b)
	return nil
}
