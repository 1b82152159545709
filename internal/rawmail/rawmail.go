package rawmail

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost"
)

// ErrMessage is the identity of every refusal of a message. The text names the field or
// the part, and none of what they say.
var ErrMessage = errors.New("raw message refused")

// Info is what a message says about itself.
type Info struct {
	From          rohrpost.Address
	To, Cc, Bcc   []rohrpost.Address // the addresses without their names
	ReplyTo       bool               // there is a Reply-To
	Date          bool               // there is a Date
	MessageID     string             // with angle brackets; "" if there is none
	Subject       string             // decoded, as far as its charset is known
	AutoSubmitted bool               // an Auto-Submitted other than "no" (RFC 3834 §5)
	Signed        bool               // the body as a whole is signed: S/MIME (RFC 8551) or PGP/MIME (RFC 3156)
	Encrypted     bool               // the body as a whole is encrypted
	SMTPUTF8      bool               // a header that leaves has octets above 127 (RFC 6532): only a server with SMTPUTF8 takes it
}

// Check reports whether raw can leave: whatever it accepts, Edit can write for every
// sender address and every server, but for one without SMTPUTF8 if Info asks for that.
// The error is ErrMessage, wrapped.
func Check(raw []byte) error {
	_, err := Parse(raw)
	return err
}

// Parse is Check, and tells what the message says about itself.
func Parse(raw []byte) (Info, error) {
	m, err := parse(context.Background(), raw)
	if err != nil {
		return Info{}, err
	}
	return m.info, nil
}

// A message is raw, and what the walk has found.
type message struct {
	raw    []byte
	header header
	leaves []leaf  // those that some servers cannot take as they are
	labels []label // of multiparts and messages
	bareLF int
	info   Info
}

func parse(ctx context.Context, raw []byte) (*message, error) {
	switch {
	case len(raw) == 0:
		return nil, refuse("it is empty")
	case bytes.IndexByte(raw, 0) >= 0:
		return nil, refuse("it has a NUL octet (RFC 5322 §4)")
	case bareCR(raw):
		return nil, refuse("it has a CR without LF (RFC 5322 §2.3)")
	}
	w := &walker{raw: raw}
	if _, err := w.entity(ctx, plainText, 0); err != nil {
		return nil, err
	}
	m := &message{raw: raw, header: w.top, leaves: w.leaves, labels: w.labels, bareLF: w.bareLF}
	if err := m.look(); err != nil {
		return nil, err
	}
	m.info.Signed, m.info.Encrypted, m.info.SMTPUTF8 = w.signed, w.encrypted, w.utf8
	return m, nil
}

func bareCR(raw []byte) bool {
	for {
		i := bytes.IndexByte(raw, '\r')
		if i < 0 {
			return false
		}
		if i+1 == len(raw) || raw[i+1] != '\n' {
			return true
		}
		raw = raw[i+2:]
	}
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMessage, fmt.Errorf(format, args...))
}
