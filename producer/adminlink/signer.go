package adminlink

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rohrpost/rohrpost"
)

// MinSecret is the least number of octets of a shared secret (RFC 7518 §3.2).
const MinSecret = 32

// A Signer makes the links of one issuer. It is safe for concurrent use.
type Signer struct {
	issuer string
	signer jose.Signer
}

// NewSecret signs with a secret that web.links has, too (HS256). issuer is the name of
// the entry there.
func NewSecret(issuer string, secret rohrpost.Secret) (*Signer, error) {
	if n := len(secret.Reveal()); n < MinSecret {
		return nil, fmt.Errorf("adminlink: the secret has %d octets, at least %d are needed: openssl rand -base64 32 prints a good one", n, MinSecret)
	}
	return newSigner(issuer, jose.HS256, []byte(secret.Reveal()))
}

// NewKey signs with an Ed25519 private key, in PEM (PKCS #8), as openssl genpkey
// -algorithm ed25519 makes one (EdDSA). web.links has its public key.
func NewKey(issuer string, privateKey rohrpost.Secret) (*Signer, error) {
	block, _ := pem.Decode([]byte(privateKey.Reveal()))
	if block == nil {
		return nil, errors.New("adminlink: the private key is not in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("adminlink: the private key is not in PKCS #8: openssl genpkey -algorithm ed25519 makes one")
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("adminlink: the private key is of type %T, Ed25519 is needed: openssl genpkey -algorithm ed25519 makes one", key)
	}
	return newSigner(issuer, jose.EdDSA, private)
}

func newSigner(issuer string, algorithm jose.SignatureAlgorithm, key any) (*Signer, error) {
	if issuer == "" {
		return nil, errors.New("adminlink: the issuer is empty: write the name that web.links has")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("adminlink: %w", err)
	}
	return &Signer{issuer, signer}, nil
}

// Token is a token for a link, good from now on for Lifetime, once. The error is that
// of Validate.
func (s *Signer) Token(l Link) (string, error) {
	if err := l.Validate(); err != nil {
		return "", fmt.Errorf("adminlink: %w", err)
	}
	now := time.Now()
	token, err := jwt.Signed(s.signer).Claims(l).Claims(jwt.Claims{
		Issuer: s.issuer, Audience: jwt.Audience{Audience}, ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(Lifetime)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("adminlink: %w", err)
	}
	return token, nil
}

// URL is where to send the browser of the person. base is the address of the pages, as
// "https://mail.example" or "https://crm.example/mail". To keep the token out of the
// logs of proxies, post it to base + "/sso" instead, in the field token of a form.
func (s *Signer) URL(base string, l Link) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("adminlink: the address of the pages is none: write https://mail.example")
	}
	token, err := s.Token(l)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(base, "/") + "/sso?" + url.Values{"token": {token}}.Encode(), nil
}
