package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// usedFor is how long a completed sign-in is remembered: no code is good for longer
// (RFC 6749 §4.1.2).
const usedFor = 10 * time.Minute

// usedKey is a sign-in that was completed. state comes from outside.
func usedKey(state string) string {
	sum := sha256.Sum256([]byte(state))
	return "rohrpost:oidc:" + hex.EncodeToString(sum[:])
}
