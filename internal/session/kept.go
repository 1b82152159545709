package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// KeptFor is how long a text is kept that nobody takes.
	KeptFor = 10 * time.Minute
	// mostKept is how many texts a session keeps; one more puts an end to the others.
	mostKept = 4
	// longestKept is the length of the longest one, in bytes.
	longestKept = 1024
)

// ErrTooLong says that a text is not kept because of its length.
var ErrTooLong = errors.New("too long to be kept with a session")

// A kept text, as it is sealed.
type kept struct {
	Until time.Time `json:"until"`
	Text  string    `json:"text"`
}

// Keep keeps a secret text with the session of an id, for KeptFor and one purpose; what
// was kept for the same is replaced. Redis has it sealed with the id, which stands nowhere
// there. The error is ErrTooLong, or that of Redis.
func (s *Store) Keep(ctx context.Context, id, purpose, text string) error {
	if len(text) > longestKept {
		return ErrTooLong
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	box, err := boxOf(id)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	plain, err := json.Marshal(kept{s.now().Add(KeptFor).UTC(), text})
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	name := keptKey(key(id))
	n, err := s.redis.HLen(ctx, name).Result()
	if err == nil && n >= mostKept {
		err = s.redis.Del(ctx, name).Err()
	}
	if err == nil {
		_, err = s.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, name, keptField(id, purpose), box.Seal(nil, nil, plain, []byte(purpose))) //nolint:gosec // the box draws a nonce
			p.Expire(ctx, name, KeptFor)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// Take ends a text that is kept, and answers with it: "" if there is none for exactly this
// session and purpose, or none any more. The error is that of Redis.
func (s *Store) Take(ctx context.Context, id, purpose string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	name, field := keptKey(key(id)), keptField(id, purpose)
	sealed, err := s.redis.HGet(ctx, name, field).Bytes()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	var taken int64
	if err == nil {
		taken, err = s.redis.HDel(ctx, name, field).Result()
	}
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	box, err := boxOf(id)
	if err != nil {
		return "", fmt.Errorf("session: %w", err)
	}
	plain, err := box.Open(nil, nil, sealed, []byte(purpose))
	if err != nil || taken != 1 {
		return "", nil //nolint:nilerr // somebody has put it there, or has just taken it
	}
	var k kept
	if err := json.Unmarshal(plain, &k); err != nil || !s.now().Before(k.Until) {
		return "", nil //nolint:nilerr // of a version that writes otherwise
	}
	return k.Text, nil
}

// boxOf seals for a session: its key is made of the id, which only the browser has.
func boxOf(id string) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, []byte(id), nil, "rohrpost kept with a session", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
