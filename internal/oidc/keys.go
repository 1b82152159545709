package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// pendingFor is how long a person may take at the provider.
const pendingFor = 10 * time.Minute

// pendingKey is a sign-in that has begun. state comes from outside.
func pendingKey(state string) string {
	sum := sha256.Sum256([]byte(state))
	return "rohrpost:oidc:" + hex.EncodeToString(sum[:])
}
