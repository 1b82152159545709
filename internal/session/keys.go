package session

import (
	"crypto/sha256"
	"encoding/hex"
)

// key is that of a session: a hash, so that whoever reads Redis has no id.
func key(id string) string { return "rohrpost:session:" + hash(id) }

// ofKey is the sorted set of a person's sessions: their keys by when they end at the
// latest, in Unix seconds.
func ofKey(person string) string { return "rohrpost:session:of:" + hash(person) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
