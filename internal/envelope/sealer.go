package envelope

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// keyLife is how long a producer uses a data key.
const keyLife = time.Hour

// A Sealer makes data keys for the workers' public keys. It is safe for concurrent use.
type Sealer struct {
	box *seal.Box
	now func() time.Time

	mu      sync.Mutex
	current *Key
	ends    time.Time
}

// NewSealer seals for these recipients (age1…), at least one.
func NewSealer(recipients []string, now func() time.Time) (*Sealer, error) {
	box, err := seal.New(seal.Options{Recipients: recipients})
	if err == nil && !box.CanSeal() {
		err = seal.ErrNoRecipient
	}
	if err != nil {
		return nil, err
	}
	return &Sealer{box: box, now: now}, nil
}

// Key is the data key of this hour.
func (s *Sealer) Key() (*Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.current != nil && now.Before(s.ends) {
		return s.current, nil
	}
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails, since Go 1.24
	data, err := newDataKey(raw)
	if err != nil {
		return nil, err
	}
	wrapped, err := s.box.Seal(secret.New(string(raw)), purpose())
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	s.current, s.ends = &Key{data: data, wrapped: wrapped}, now.Add(keyLife)
	return s.current, nil
}

// A Key seals mails. It is safe for concurrent use.
type Key struct {
	data    *dataKey
	wrapped string
}

// Blob is content as it may stand in Redis: the same for the same content.
func (k *Key) Blob(content []byte) []byte { return k.data.sealBlob(content) }

// Payload is payload.Encode with what the mail says sealed. The job stays as it is.
func (k *Key) Payload(j *payload.Job) ([]byte, error) {
	readable, plain, err := takeOut(j)
	if err != nil {
		return nil, err
	}
	readable.Sealed = &payload.Sealed{Key: k.wrapped}
	head, err := payload.Encode(readable)
	if err != nil {
		return nil, err
	}
	return append(head, k.data.sealMail(plain, head)...), nil
}
