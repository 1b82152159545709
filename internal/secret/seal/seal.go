package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
)

// prefix, then eight hexadecimal digits of the recipients, a colon, base64.
const prefix = "age:"

// Options of a Box. The zero value neither seals nor opens.
type Options struct {
	// Recipients are public keys, "age1…". Empty: those of Identities.
	Recipients []string
	// Identities are "AGE-SECRET-KEY-1…", one a line; lines that begin with #
	// are comments.
	Identities secret.String
}

// A Box seals and opens. It is safe for concurrent use.
type Box struct {
	recipients []age.Recipient
	identities []age.Identity
	mark       string // of the recipients
}

// New reads the keys. The error shows none of them.
func New(o Options) (*Box, error) {
	b := &Box{}
	names := slices.Clone(o.Recipients)
	if !o.Identities.IsZero() {
		identities, err := age.ParseIdentities(strings.NewReader(o.Identities.Reveal()))
		if err != nil {
			return nil, errors.New("secrets.identity_file: is no list of age identities (AGE-SECRET-KEY-1…, one a line)")
		}
		b.identities = identities
		for _, id := range identities {
			if x, ok := id.(*age.X25519Identity); ok && len(o.Recipients) == 0 {
				names = append(names, x.Recipient().String())
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		r, err := age.ParseX25519Recipient(name)
		if err != nil {
			return nil, fmt.Errorf("secrets.recipients: %q is no age recipient (age1…)", publicOnly(name))
		}
		b.recipients = append(b.recipients, r)
	}
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	b.mark = hex.EncodeToString(sum[:4])
	return b, nil
}

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

// Seal gives the text to store; the empty secret is the empty text. The error is
// ErrNoRecipient.
func (b *Box) Seal(s secret.String) (string, error) {
	if s.IsZero() {
		return "", nil
	}
	if !b.CanSeal() {
		return "", ErrNoRecipient
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, b.recipients...)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if _, err := io.WriteString(w, s.Reveal()); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return prefix + b.mark + ":" + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// Open gives the secret back. The error is ErrNoIdentity or ErrOpen.
func (b *Box) Open(sealed string) (secret.String, error) {
	if sealed == "" {
		return secret.String{}, nil
	}
	_, text, ok := cut(sealed)
	if !ok {
		return secret.String{}, ErrOpen
	}
	if !b.CanOpen() {
		return secret.String{}, ErrNoIdentity
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return secret.String{}, ErrOpen
	}
	r, err := age.Decrypt(bytes.NewReader(raw), b.identities...)
	if err != nil {
		return secret.String{}, ErrOpen
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return secret.String{}, ErrOpen
	}
	return secret.New(string(plain)), nil
}

// Current reports whether a text was sealed for today's recipients.
func (b *Box) Current(sealed string) bool {
	mark, _, ok := cut(sealed)
	return ok && b.CanSeal() && mark == b.mark
}

// IsSealed reports whether a text looks as Seal makes it.
func IsSealed(text string) bool {
	_, _, ok := cut(text)
	return ok
}

func cut(sealed string) (mark, text string, ok bool) {
	rest, ok := strings.CutPrefix(sealed, prefix)
	if !ok {
		return "", "", false
	}
	mark, text, ok = strings.Cut(rest, ":")
	return mark, text, ok && len(mark) == 8
}

// Generate makes a new key: the identity for workers, the recipient for everybody.
func Generate() (identity secret.String, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return secret.String{}, "", fmt.Errorf("keygen: %w", err)
	}
	return secret.New(id.String()), id.Recipient().String(), nil
}
