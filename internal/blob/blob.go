package blob

import (
	"context"
	_ "embed"
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

//go:embed touch.lua
var touchSource string

var touchScript = redis.NewScript(touchSource)

// A Set is what one batch of mails wants stored: contents by digest, each with those
// who need it. The zero value is empty and ready to use.
type Set struct {
	contents map[string][]byte
	needs    map[string]*need
}

// A need is the users of a blob, and until when the last of them needs it.
type need struct {
	until time.Time
	users []any // Unix ms and user, in pairs
}

// Add puts content that a user needs until then into the set and returns its digest. A
// user is the key of a job.
func (s *Set) Add(content []byte, user string, until time.Time) string {
	digest := Digest(content)
	if s.contents == nil {
		s.contents = map[string][]byte{}
	}
	s.contents[digest] = content
	s.need(digest, user, until)
	return digest
}

func (s *Set) need(digest, user string, until time.Time) {
	if s.needs == nil {
		s.needs = map[string]*need{}
	}
	n := s.needs[digest]
	if n == nil {
		n = &need{}
		s.needs[digest] = n
	}
	if until.After(n.until) {
		n.until = until
	}
	again := len(n.users) > 0 && n.users[len(n.users)-1] == user // a file that a mail has twice
	if counted(digest) && !again {
		n.users = append(n.users, until.UnixMilli(), user)
	}
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
		n := set.needs[digest]
		calls[i] = batch.Call(touchScript, keys(digest), append([]any{n.until.UnixMilli()}, n.users...)...)
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
		stored[i] = pipe.Do(ctx, "SET", Key(digest), set.contents[digest], "NX", "PXAT", set.needs[digest].until.UnixMilli())
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
		cmds[i] = pipe.StrLen(ctx, Key(d))
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
		cmds[i] = pipe.Get(ctx, Key(d))
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
