package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// ErrChanged says that what is sealed does not belong to this mail: one of both was
// changed after it was enqueued.
var ErrChanged = errors.New("what is sealed does not belong to this mail: somebody has changed it in Redis")

const (
	keySize   = 32 // AES-256
	nonceSize = 12
	tagSize   = 16
)

// BlobOverhead is by how many bytes a sealed blob is longer than its content.
const BlobOverhead = nonceSize + tagSize

// purpose keeps a sealed data key apart from all other secrets that are sealed.
func purpose() seal.Purpose { return seal.Purpose{"secret": "payload"} }

// A dataKey encrypts the mails that one producer enqueues within an hour. Its uses
// have keys of their own.
type dataKey struct {
	mails, blobs cipher.AEAD
	nonces       []byte // key of the digests that are the nonces of blobs
}

func newDataKey(secret []byte) (*dataKey, error) {
	derive := func(use string) ([]byte, error) { return hkdf.Expand(sha256.New, secret, "rohrpost "+use, keySize) }
	var k dataKey
	for use, into := range map[string]*cipher.AEAD{"mails": &k.mails, "blobs": &k.blobs} {
		key, err := derive(use)
		if err != nil {
			return nil, fmt.Errorf("data key: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("data key: %w", err)
		}
		if *into, err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("data key: %w", err)
		}
	}
	var err error
	if k.nonces, err = derive("nonces"); err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	return &k, nil
}

// sealMail encrypts what a mail says, together with its head. The nonce is random: of
// the mails of an hour no two have the same (2^96 against some 10^7).
func (k *dataKey) sealMail(plain, head []byte) []byte {
	out := make([]byte, nonceSize, nonceSize+len(plain)+tagSize)
	_, _ = rand.Read(out) // never fails, since Go 1.24
	return k.mails.Seal(out, out, plain, head)
}

// sealBlob encrypts content the same way each time, so that the same file of many
// mails is one blob: the nonce is a keyed digest of it.
func (k *dataKey) sealBlob(content []byte) []byte {
	mac := hmac.New(sha256.New, k.nonces)
	_, _ = mac.Write(content)
	out := make([]byte, 0, len(content)+BlobOverhead)
	out = append(out, mac.Sum(nil)[:nonceSize]...)
	return k.blobs.Seal(out, out, content, nil)
}

// open is the way back. The error is ErrChanged.
func open(aead cipher.AEAD, sealed, head []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, ErrChanged
	}
	plain, err := aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], head)
	if err != nil {
		return nil, ErrChanged
	}
	return plain, nil
}
