package envelope

import (
	"fmt"
	"sync"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// maxKeys is how many data keys are kept in memory, about 2 KB each: one for each
// process that enqueues, and hour.
const maxKeys = 1024

// An Opener opens what a Sealer has sealed. It is safe for concurrent use.
type Opener struct {
	box *seal.Box

	mu   sync.Mutex
	keys map[string]*dataKey // by the sealed key
}

// NewOpener opens with these identities, as in seal.Options. Without one it says what
// is missing when it is asked.
func NewOpener(identities secret.String) (*Opener, error) {
	box, err := seal.New(seal.Options{Identities: identities})
	if err != nil {
		return nil, err
	}
	return &Opener{box: box, keys: map[string]*dataKey{}}, nil
}

// An Opened mail is the job with what it says, and the key of its blobs.
type Opened struct {
	Job *payload.Job
	key *dataKey // nil: nothing is sealed
}

// Open opens a job, if it is sealed. The error is ErrChanged, payload.ErrMalformed or
// one of package seal.
func (o *Opener) Open(j *payload.Job) (Opened, error) {
	if j.Sealed == nil {
		return Opened{Job: j}, nil
	}
	key, err := o.key(j.Sealed.Key)
	if err != nil {
		return Opened{}, err
	}
	plain, err := open(key.mails, j.Sealed.Content, j.Sealed.Head)
	if err != nil {
		return Opened{}, err
	}
	full, err := putBack(j, plain)
	return Opened{full, key}, err
}

// Blob opens the content of one of the mail's blobs. One that another blob of the
// same key was put in the place of is not opened: the error is ErrChanged.
func (m *Opened) Blob(digest string, content []byte) ([]byte, error) {
	if m.key == nil {
		return content, nil
	}
	if blob.Digest(content) != digest {
		return nil, ErrChanged
	}
	return open(m.key.blobs, content, nil)
}

// key opens a data key, or remembers it: that takes a hundred times what a mail takes.
func (o *Opener) key(wrapped string) (*dataKey, error) {
	o.mu.Lock()
	known := o.keys[wrapped]
	o.mu.Unlock()
	if known != nil {
		return known, nil
	}
	raw, err := o.box.Open(wrapped, purpose())
	if err != nil {
		return nil, err
	}
	key, err := newDataKey([]byte(raw.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", seal.ErrOpen, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for other := range o.keys {
		if len(o.keys) < maxKeys {
			break
		}
		delete(o.keys, other)
	}
	o.keys[wrapped] = key
	return key, nil
}
