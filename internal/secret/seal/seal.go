package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/rohrpost/rohrpost/internal/secret"
)

var (
	// ErrNoRecipient says that no key is configured to seal for.
	ErrNoRecipient = errors.New("secrets cannot be stored: no key is set up (make one with: rohrpost keygen; see secrets.recipients)")
	// ErrNoIdentity says that this process holds no key to open with.
	ErrNoIdentity = errors.New("the secret is sealed, and this process holds no key (see secrets.identity_file)")
	// ErrOpen says that no key at hand fits, or that the sealed text is damaged.
	ErrOpen = errors.New("the sealed secret cannot be opened with the keys in secrets.identity_file")
	// ErrPurpose says that a secret was sealed for something else.
	ErrPurpose = errors.New("the secret was entered for something else")
	// ErrUnbound says that a secret is sealed for no purpose, and that it must be.
	ErrUnbound = errors.New("the secret was sealed before secrets were bound to their server, and secrets.require_bound refuses it (leave that out until rohrpost account reseal has run)")
)

// A sealed text is one of these, then eight hexadecimal digits of the recipients, a
// colon, base64. Versions that know no purposes read unbound ones only, and take the
// others for damaged.
const (
	unbound = "age:"
	bound   = "age2:"
)

// envelope begins what is sealed for a purpose: a line of JSON follows, then the
// secret. No password and no token begins with a NUL.
const envelope = "\x00rohrpost "

// A Purpose is what a secret may be used for: its place, server, login and so on, by
// name. A secret that was sealed for one opens for an equal one only. That keeps
// somebody who can write where sealed texts stand from having another's secret used for a
// server of their own; it does not keep them from sealing a secret of their own.
type Purpose map[string]string

// Options of a Box. The zero value neither seals nor opens.
type Options struct {
	// Recipients are public keys, "age1…". Empty: those of Identities.
	Recipients []string
	// Identities are "AGE-SECRET-KEY-1…", one a line; lines that begin with #
	// are comments.
	Identities secret.String
	// RequireBound refuses what was sealed without a purpose, as all was before
	// there were purposes.
	RequireBound bool
}

// A Box seals and opens. It is safe for concurrent use.
type Box struct {
	names      []string // of the recipients
	recipients []age.Recipient
	identities []age.Identity
	mark       string // of the recipients
	strict     bool
}

// New reads the keys. The error shows none of them.
func New(o Options) (*Box, error) {
	b := &Box{strict: o.RequireBound}
	var err error
	if b.identities, err = parse(o.Identities); err != nil {
		return nil, err
	}
	b.names = slices.Clone(o.Recipients)
	for _, id := range b.identities {
		if x, ok := id.(*age.X25519Identity); ok && len(o.Recipients) == 0 {
			b.names = append(b.names, x.Recipient().String())
		}
	}
	slices.Sort(b.names)
	b.names = slices.Compact(b.names)
	for _, name := range b.names {
		r, err := age.ParseX25519Recipient(name)
		if err != nil {
			return nil, fmt.Errorf("secrets.recipients: %q is no age recipient (age1…)", publicOnly(name))
		}
		b.recipients = append(b.recipients, r)
	}
	sum := sha256.Sum256([]byte(strings.Join(b.names, "\n")))
	b.mark = hex.EncodeToString(sum[:4])
	return b, nil
}

func parse(identities secret.String) ([]age.Identity, error) {
	if identities.IsZero() {
		return nil, nil
	}
	list, err := age.ParseIdentities(strings.NewReader(identities.Reveal()))
	if err != nil {
		return nil, errors.New("secrets.identity_file: is no list of age identities (AGE-SECRET-KEY-1…, one a line)")
	}
	return list, nil
}

// Recipients are the public keys that the box seals for.
func (b *Box) Recipients() []string { return slices.Clone(b.names) }

// publicOnly keeps a private key out of the error about a public one.
func publicOnly(name string) string {
	if strings.HasPrefix(name, "age1") {
		return name
	}
	return "…"
}

// CanSeal reports whether there is a key to seal for.
func (b *Box) CanSeal() bool { return b != nil && len(b.recipients) > 0 }

// CanOpen reports whether there is a key to open with.
func (b *Box) CanOpen() bool { return b != nil && len(b.identities) > 0 }

// Seal gives the text to store; the empty secret is the empty text. A nil purpose
// makes a text that opens for any. The error is ErrNoRecipient.
func (b *Box) Seal(s secret.String, p Purpose) (string, error) {
	if s.IsZero() {
		return "", nil
	}
	if !b.CanSeal() {
		return "", ErrNoRecipient
	}
	form, plain := unbound, s.Reveal()
	if p != nil {
		form, plain = bound, p.head()+plain
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, b.recipients...)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if _, err := io.WriteString(w, plain); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return form + b.mark + ":" + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// head is what stands before a secret of this purpose. Equal purposes have equal
// heads, as JSON sorts the names.
func (p Purpose) head() string {
	line, _ := json.Marshal(p) // of strings alone
	return envelope + string(line) + "\n"
}

// Open gives the secret back, if it was sealed for this purpose, or for none. The
// error is ErrNoIdentity, ErrOpen, ErrPurpose or ErrUnbound.
func (b *Box) Open(sealed string, p Purpose) (secret.String, error) {
	if sealed == "" {
		return secret.String{}, nil
	}
	form, _, text, ok := cut(sealed)
	if !ok {
		return secret.String{}, ErrOpen
	}
	if form == unbound && b != nil && b.strict {
		return secret.String{}, ErrUnbound
	}
	if !b.CanOpen() {
		return secret.String{}, ErrNoIdentity
	}
	plain, err := b.decrypt(text)
	// Inside stands the same form as outside, which anybody can rewrite.
	if err != nil || strings.HasPrefix(plain, envelope) != (form == bound) {
		return secret.String{}, ErrOpen
	}
	if form == bound {
		if plain, ok = strings.CutPrefix(plain, p.head()); !ok {
			return secret.String{}, ErrPurpose
		}
	}
	return secret.New(plain), nil
}

func (b *Box) decrypt(text string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	r, err := age.Decrypt(bytes.NewReader(raw), b.identities...)
	if err != nil {
		return "", err
	}
	plain, err := io.ReadAll(r)
	return string(plain), err
}

// Current reports whether a text was sealed for today's recipients.
func (b *Box) Current(sealed string) bool {
	_, mark, _, ok := cut(sealed)
	return ok && b.CanSeal() && mark == b.mark
}

// IsSealed reports whether a text looks as Seal makes it.
func IsSealed(text string) bool {
	_, _, _, ok := cut(text)
	return ok
}

// IsBound reports whether a text looks as Seal makes it for a purpose.
func IsBound(text string) bool {
	form, _, _, ok := cut(text)
	return ok && form == bound
}

func cut(sealed string) (form, mark, text string, ok bool) {
	form = bound
	rest, ok := strings.CutPrefix(sealed, bound)
	if !ok {
		form = unbound
		if rest, ok = strings.CutPrefix(sealed, unbound); !ok {
			return "", "", "", false
		}
	}
	mark, text, ok = strings.Cut(rest, ":")
	return form, mark, text, ok && len(mark) == 8
}

// Generate makes a new key: the identity for workers, the recipient for everybody.
func Generate() (identity secret.String, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return secret.String{}, "", fmt.Errorf("keygen: %w", err)
	}
	return secret.New(id.String()), id.Recipient().String(), nil
}
