// Package blob keeps attachments and large bodies beside the queue, under the
// SHA-256 of their bytes: the same file in a thousand mails is stored once, and
// asynq, which rewrites the payload of an active task every five seconds, never
// touches it. A blob ends by its TTL, which each mail that uses it prolongs.
package blob

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// ErrMissing says that a blob is gone: it ended before its job.
var ErrMissing = errors.New("blob is missing")

// A Store keeps blobs in Redis. It is safe for concurrent use.
type Store struct{ rdb redis.UniversalClient }

// New makes a store; it does no I/O.
func New(rdb redis.UniversalClient) *Store { return &Store{rdb: rdb} }

func key(digest string) string { return "rohrpost:blob:{" + digest + "}" }

// Digest is the name of a blob: its SHA-256 in hex.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// touch.lua prolongs a blob and tells whether it is there.
//
//go:embed touch.lua
var touchSource string

var touchScript = redis.NewScript(touchSource)

// A Set is what one batch of mails wants stored: contents by digest, each with
// the latest time until which a mail needs it.
type Set struct {
	contents map[string][]byte
	until    map[string]time.Time
}

// Add puts content into the set and returns its digest.
func (s *Set) Add(content []byte, until time.Time) string {
	if s.contents == nil {
		s.contents, s.until = map[string][]byte{}, map[string]time.Time{}
	}
	digest := Digest(content)
	s.contents[digest] = content
	if until.After(s.until[digest]) {
		s.until[digest] = until
	}
	return digest
}

// Put stores what is not there yet and prolongs what is: one round trip to look,
// a second one only to upload.
func (s *Store) Put(ctx context.Context, set *Set) error {
	if len(set.contents) == 0 {
		return nil
	}
	var batch lua.Batch
	calls := make(map[string]*lua.Call, len(set.contents))
	for digest := range set.contents {
		calls[digest] = batch.Call(touchScript, []string{key(digest)}, set.until[digest].UnixMilli())
	}
	if err := batch.Exec(ctx, s.rdb); err != nil {
		return fmt.Errorf("look for blobs: %w", err)
	}
	pipe := s.rdb.Pipeline()
	for digest, call := range calls {
		there, err := call.Result()
		if err != nil {
			return fmt.Errorf("look for blobs: %w", err)
		}
		if there != int64(1) {
			pipe.Do(ctx, "SET", key(digest), set.contents[digest], "PXAT", set.until[digest].UnixMilli())
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("store blobs: %w", err)
	}
	return nil
}

// Get reads blobs by digest in one round trip. The error wraps ErrMissing when
// one of them is gone.
func (s *Store) Get(ctx context.Context, digests ...string) (map[string][]byte, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.StringCmd, len(digests))
	for i, d := range digests {
		cmds[i] = pipe.Get(ctx, key(d))
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read blobs: %w", err)
	}
	out := make(map[string][]byte, len(digests))
	for i, c := range cmds {
		content, err := c.Bytes()
		switch {
		case errors.Is(err, redis.Nil):
			return nil, fmt.Errorf("%s: %w", digests[i], ErrMissing)
		case err != nil:
			return nil, fmt.Errorf("read blobs: %w", err)
		}
		out[digests[i]] = content
	}
	return out, nil
}
