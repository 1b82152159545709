package deadletter

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
)

//go:embed add.lua
var addSource string

var addScript = redis.NewScript(addSource)

// DefaultLimit is how many bytes of failed mails are kept for a tenant.
const DefaultLimit = 1 << 30

// Options of a Store.
type Options struct {
	Redis redis.UniversalClient
	Blobs *blob.Store
	Keep  time.Duration    // how long the content of a failed mail stays
	Limit int64            // bytes of one tenant; 0: DefaultLimit, negative: no limit
	Now   func() time.Time // nil: time.Now
}

// A Store is safe for concurrent use.
type Store struct {
	rdb   redis.UniversalClient
	blobs *blob.Store
	keep  time.Duration
	limit int64
	now   func() time.Time
}

// New makes a store; it does no I/O.
func New(o Options) *Store {
	s := &Store{rdb: o.Redis, blobs: o.Blobs, keep: o.Keep, limit: max(0, cmp.Or(o.Limit, DefaultLimit)), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// keys are those of a tenant. Its name stands escaped in the hash tag, so no name can
// leave it; that of the platform is one that no escaped name looks like.
func keys(tenant string) []string {
	name := "@platform"
	if tenant != "" {
		name = url.QueryEscape(tenant)
	}
	mails := "rohrpost:failed:{" + name + "}"
	return []string{mails, mails + ":parts"}
}

// Add keeps the content of a job that has failed, and throws away that of the tenant's
// oldest ones if there is too much. It may be repeated. A job that has been sent again
// meanwhile loses nothing: a task that is not archived stays, and so do blobs that a
// retry has prolonged.
func (s *Store) Add(ctx context.Context, job *payload.Job) error {
	bytes, err := s.size(ctx, job)
	if err != nil {
		return err
	}
	now := s.now()
	until := now.Add(s.keep)
	use := blob.UseOf(job)
	// Before others know of the mail: who throws it away does so until that very time.
	if err := s.blobs.Keep(ctx, use, until); err != nil {
		return err
	}
	parts := strings.Join(append([]string{queue.Name(job.Priority)}, use.Digests...), " ")
	taken, err := addScript.Run(ctx, s.rdb, keys(job.Tenant),
		now.UnixMilli(), until.UnixMilli(), s.limit, use.User, bytes, parts).StringSlice()
	if err != nil {
		return fmt.Errorf("keep a failed mail: %w", err)
	}
	for i := 0; i+2 < len(taken); i += 3 {
		err = errors.Join(err, s.drop(ctx, taken[i], taken[i+1], strings.Fields(taken[i+2])))
	}
	return err
}

// size is about what the job takes in Redis.
func (s *Store) size(ctx context.Context, job *payload.Job) (int64, error) {
	bytes := quota.Weight(job)
	for _, f := range job.Files {
		bytes += f.Size
	}
	if job.Sealed != nil {
		bytes += int64(len(job.Sealed.Content))
	}
	bodies := job.Bodies()
	if len(bodies) == 0 {
		return bytes, nil
	}
	sizes, err := s.blobs.Sizes(ctx, bodies...)
	for _, n := range sizes {
		bytes += n
	}
	return bytes, err
}

// drop throws a mail away that was kept until then.
func (s *Store) drop(ctx context.Context, key, until string, parts []string) error {
	ms, err := strconv.ParseInt(until, 10, 64)
	if err != nil || len(parts) == 0 {
		return nil // not written by Add
	}
	return errors.Join(
		queue.Discard(ctx, s.rdb, queue.Ref{Queue: parts[0], ID: key}),
		s.blobs.Drop(ctx, blob.Use{User: key, Digests: parts[1:]}, time.UnixMilli(ms)))
}
