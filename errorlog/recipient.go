package errorlog

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// keyLife is how long the HMAC key is used without a look into Redis. It must end:
// a Redis that has lost its data gets the key back from whoever still has it.
const keyLife = time.Minute

type hmacKey struct {
	value string
	until time.Time
}

// recipientKey is the installation's key for recipients, made by whoever comes
// first. A hash without a key would be undone by trying addresses.
func (l *Log) recipientKey(ctx context.Context) (string, error) {
	known := l.hmacKey.Load()
	if known != nil && l.now().Before(known.until) {
		return known.value, nil
	}
	candidate := rand.Text()
	if known != nil {
		candidate = known.value
	}
	pipe := l.redis.Pipeline()
	pipe.SetNX(ctx, hmacKeyName, candidate, 0)
	get := pipe.Get(ctx, hmacKeyName)
	if _, err := pipe.Exec(ctx); err != nil {
		return "", fmt.Errorf("errorlog: recipient key: %w", err)
	}
	l.hmacKey.Store(&hmacKey{value: get.Val(), until: l.now().Add(keyLife)})
	return get.Val(), nil
}

// hmacSize in bytes: no two recipients of one log share 96 bits.
const hmacSize = 12

func recipientHMAC(key, recipient string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(strings.ToLower(strings.TrimSpace(recipient)))) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:hmacSize])
}

func recipientHMACs(key string, recipients []string) []string {
	macs := make([]string, len(recipients))
	for i, r := range recipients {
		macs[i] = recipientHMAC(key, r)
	}
	return macs
}

func (s *stored) concerns(mac string) bool { return slices.Contains(s.RecipientHMACs, mac) }
