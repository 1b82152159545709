package adminlink

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// usedFor is how long a token is remembered: longer than any is good for, by more than
// the clocks of two machines differ.
const usedFor = 10 * time.Minute

// usedKey is there for a token that was used. Both parts come from outside.
func usedKey(issuer, id string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + id))
	return "rohrpost:adminlink:" + hex.EncodeToString(sum[:])
}
