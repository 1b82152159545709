package adminlink

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

// An Issuer is an application that may send people. It has a Secret or a PublicKey.
type Issuer struct {
	Name      string        // the claim iss
	Secret    secret.String // at least 32 octets
	PublicKey string        // Ed25519, in PEM (PKIX)
	Tenants   []string      // those whose people it may send; empty: all
	Roles     []string      // admin, reader and user, as far as it may give them; empty: all three
	Operators bool          // it may send operators
}

// Allows reports whether the issuer may give somebody this role in this tenant.
func (i Issuer) Allows(role, tenant string) bool {
	if role == adminlink.Operator {
		return i.Operators
	}
	return (len(i.Roles) == 0 || slices.Contains(i.Roles, role)) && (len(i.Tenants) == 0 || slices.Contains(i.Tenants, tenant))
}

// A key verifies tokens that are signed in one way.
type key struct {
	algorithm jose.SignatureAlgorithm
	value     any
}

// keyOf is the key of an issuer, which has either a secret or a public key. The error has
// nothing of it.
func keyOf(shared secret.String, publicKey string) (key, error) {
	text := shared.Reveal()
	switch {
	case publicKey == "" && text == "":
		return key{}, errors.New("has no key: add secret_file or public_key")
	case publicKey != "" && text != "":
		return key{}, errors.New("has both a secret and a public key: keep one")
	case publicKey != "":
		public, err := parsePublic(publicKey)
		return key{jose.EdDSA, public}, err
	case len(text) < adminlink.MinSecret:
		return key{}, fmt.Errorf("has a secret of %d octets, at least %d are needed: openssl rand -base64 32 prints a good one", len(text), adminlink.MinSecret)
	}
	return key{jose.HS256, []byte(text)}, nil
}

// CheckKey says what is wrong with the key of an issuer.
func CheckKey(shared secret.String, publicKey string) error {
	_, err := keyOf(shared, publicKey)
	return err
}

func parsePublic(text string) (ed25519.PublicKey, error) {
	const remedy = "openssl pkey -in private.pem -pubout prints it"
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("has a public key that is not in PEM: " + remedy)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("has a public key that cannot be read: " + remedy)
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("has a public key of type %T: openssl genpkey -algorithm ed25519 makes one of the right type", parsed)
	}
	return public, nil
}

// Fingerprint changes with the issuer's key.
func (i Issuer) Fingerprint() string {
	sum := sha256.Sum256([]byte(i.Secret.Reveal() + "\x00" + i.PublicKey))
	return hex.EncodeToString(sum[:8])
}
