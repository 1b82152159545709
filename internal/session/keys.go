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

// keptKey is the hash of the texts that are kept with the session of a key; they end with
// it.
func keptKey(key string) string { return key + ":kept" }

// keptField names a text by its purpose, to nobody who has no id.
func keptField(id, purpose string) string { return hash(id + "\x00" + purpose) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
