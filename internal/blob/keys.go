package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// naming stands before the digest of a blob whose users are known. Blobs of an older
// version are named by the digest alone and end by their time: the client that stored
// them may not have named their users.
const naming = "2-"

// Digest is the name of a blob: its SHA-256 in hex, behind "2-".
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return naming + hex.EncodeToString(sum[:])
}

func counted(digest string) bool { return strings.HasPrefix(digest, naming) }

// Pattern matches the keys of all blobs.
const Pattern = keyPrefix + "*" + keySuffix

const keyPrefix, keySuffix = "rohrpost:blob:{", "}"

// Key is that of a blob.
func Key(digest string) string { return keyPrefix + digest + keySuffix }

// ParseKey is the reverse of Key.
func ParseKey(key string) (digest string) {
	return strings.TrimSuffix(strings.TrimPrefix(key, keyPrefix), keySuffix)
}

// keys are those of a blob and of its users: a ZSET of the jobs that need it, each with the Unix
// ms until which.
func keys(digest string) []string { return []string{Key(digest), Key(digest) + ":users"} }
