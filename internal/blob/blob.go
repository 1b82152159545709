package blob

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// maxUpload bounds what travels in one pipeline: go-redis gives a pipeline as
// long as a single command to be written.
const maxUpload = 1 << 20

// Put stores what is not there yet and prolongs what is: one round trip to look,
// and more only to upload. Several may put the same blob at the same time.
func (s *Store) Put(ctx context.Context, set *Set) error {
	missing, err := s.touch(ctx, set, slices.Collect(maps.Keys(set.contents)))
	if err != nil {
		return fmt.Errorf("look for blobs: %w", err)
	}
	for len(missing) > 0 {
		n, bytes := 0, 0
		for n < len(missing) && (n == 0 || bytes+len(set.contents[missing[n]]) <= maxUpload) {
			bytes += len(set.contents[missing[n]])
			n++
		}
		if err := s.upload(ctx, set, missing[:n]); err != nil {
			return fmt.Errorf("store blobs: %w", err)
		}
		missing = missing[n:]
	}
	return nil
}

// touch prolongs the blobs that are there and returns the others.
func (s *Store) touch(ctx context.Context, set *Set, digests []string) (missing []string, err error) {
	var batch lua.Batch
	calls := make([]*lua.Call, len(digests))
	for i, digest := range digests {
		calls[i] = batch.Call(touchScript, []string{key(digest)}, set.until[digest].UnixMilli())
	}
	if err := batch.Exec(ctx, s.rdb); err != nil {
		return nil, err
	}
	for i, call := range calls {
		there, err := call.Result()
		if err != nil {
			return nil, err
		}
		if there != int64(1) {
			missing = append(missing, digests[i])
		}
	}
	return missing, nil
}

// upload stores blobs. One that somebody else has stored meanwhile is prolonged
// like one that was there: his mail may need it for longer or shorter than ours.
func (s *Store) upload(ctx context.Context, set *Set, digests []string) error {
	pipe := s.rdb.Pipeline()
	stored := make([]*redis.Cmd, len(digests))
	for i, digest := range digests {
		stored[i] = pipe.Do(ctx, "SET", key(digest), set.contents[digest], "NX", "PXAT", set.until[digest].UnixMilli())
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	var there []string
	for i, c := range stored {
		switch err := c.Err(); {
		case errors.Is(err, redis.Nil):
			there = append(there, digests[i])
		case err != nil:
			return err
		}
	}
	missing, err := s.touch(ctx, set, there)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("%s: %w", missing[0], ErrMissing)
	}
	return err
}

// Sizes are the lengths in bytes of blobs, in one round trip; 0 for one that is gone.
func (s *Store) Sizes(ctx context.Context, digests ...string) ([]int64, error) {
	pipe := s.rdb.Pipeline()
	cmds := make([]*redis.IntCmd, len(digests))
	for i, d := range digests {
		cmds[i] = pipe.StrLen(ctx, key(d))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("sizes of blobs: %w", err)
	}
	sizes := make([]int64, len(digests))
	for i, c := range cmds {
		sizes[i] = c.Val()
	}
	return sizes, nil
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
