package dkim

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/idna"
)

// ErrKey is the identity of every refusal of a key, its domain or its selector.
var ErrKey = errors.New("DKIM key refused")

// The kinds of keys, as in k= of a record (RFC 6376 §3.6.1, RFC 8463 §3).
const (
	RSA     = "rsa"
	Ed25519 = "ed25519"
)

const (
	minBits = 2048 // RFC 8301 §3.2
	maxBits = 4096 // verifiers need not know more, ibid.
	maxName = 253  // octets of a name in DNS, RFC 1035 §2.3.4
)

// A Key signs for a domain. It prints as its name.
type Key struct {
	Domain   string // in lower case, with A-labels
	Selector string
	signer   crypto.Signer
	kind     string
	public   []byte // as in p= of the record
}

// Generate makes a key of that kind: RSA of 2048 bits, whose record fits into every DNS
// provider's form, or Ed25519. It is PKCS #8 (RFC 5958) in PEM.
func Generate(kind string) ([]byte, error) {
	var key any
	var err error
	switch kind {
	case RSA:
		key, err = rsa.GenerateKey(rand.Reader, minBits)
	case Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil, fmt.Errorf("%w: kind %q, want %s or %s", ErrKey, kind, RSA, Ed25519)
	}
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ParseKey reads the first private key of a PEM file, PKCS #8 or PKCS #1: RSA of 2048 to
// 4096 bits, or Ed25519. The error is ErrKey, wrapped, and shows nothing of the key.
func ParseKey(domain, selector string, file []byte) (*Key, error) {
	k := &Key{Selector: selector}
	var err error
	if k.Domain, err = normal(domain); err != nil {
		return nil, err
	}
	if !isHost(selector) {
		return nil, fmt.Errorf("%w: selector %q: letters, digits and hyphens, with dots between (RFC 6376 §3.1)", ErrKey, selector)
	}
	if name := k.Name(); len(name) > maxName {
		return nil, fmt.Errorf("%w: the name of its record has %d octets, at most %d", ErrKey, len(name), maxName)
	}
	parsed, err := privateKey(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minBits || bits > maxBits {
			return nil, fmt.Errorf("%w: RSA of %d bits, want %d to %d (RFC 8301 §3.2)", ErrKey, bits, minBits, maxBits)
		}
		k.signer, k.kind = key, RSA
		if k.public, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
	case ed25519.PrivateKey:
		k.signer, k.kind = key, Ed25519
		k.public = key[ed25519.PrivateKeySize-ed25519.PublicKeySize:]
	default:
		return nil, fmt.Errorf("%w: DKIM knows RSA and Ed25519 alone, and this is %T", ErrKey, parsed)
	}
	return k, nil
}

func privateKey(file []byte) (any, error) {
	for {
		block, rest := pem.Decode(file)
		if block == nil {
			return nil, errors.New("there is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
		}
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, errors.New("the private key is encrypted: openssl pkey takes that off")
		case block.Type == "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(block.Bytes)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, fmt.Errorf("%s is neither PKCS #8 nor PKCS #1: openssl pkey makes PKCS #8", block.Type)
		}
		file = rest
	}
}

// Name is where the record stands in DNS (RFC 6376 §3.6.2.1).
func (k *Key) Name() string { return k.Selector + "._domainkey." + k.Domain }

// Kind is RSA or Ed25519.
func (k *Key) Kind() string { return k.kind }

// Record is the TXT record that publishes the key (RFC 6376 §3.6.1, RFC 8463 §4). It may
// have more than the 255 octets of one string in DNS: see Zone.
func (k *Key) Record() string {
	return "v=DKIM1; k=" + k.kind + "; p=" + base64.StdEncoding.EncodeToString(k.public)
}

// Zone is the record as a line of a zone file (RFC 1035 §5.1), in strings of 255 octets.
func (k *Key) Zone() string {
	const most = 255
	var b strings.Builder
	b.WriteString(k.Name() + ". IN TXT (")
	for record := k.Record(); record != ""; {
		n := min(len(record), most)
		b.WriteString(` "` + record[:n] + `"`)
		record = record[n:]
	}
	return b.String() + " )"
}

// Format prints the name, whatever the verb: never the key.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.Name()) }

// normal is a domain in lower case, with A-labels.
func normal(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if ascii = cmp.Or(ascii, domain); err != nil || !isHost(ascii) || !strings.Contains(ascii, ".") {
		return "", fmt.Errorf("%w: %q is no domain", ErrKey, domain)
	}
	return strings.ToLower(ascii), nil
}

// isHost is RFC 5321 §4.1.2: labels of letters, digits and hyphens.
func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}
