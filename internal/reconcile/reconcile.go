package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// Options of a Reconciler. Redis is required.
type Options struct {
	// Redis is what redisconn.Open has answered: a wrapper would hide that it is a
	// Cluster.
	Redis redis.UniversalClient
	Keep  time.Duration // that of the ledger; 0: ledger.DefaultKeep
	// Pause between the two looks at what is suspect; 0: 2 s. It must be longer than
	// it takes to write a mail's record and its task.
	Pause time.Duration
	// Settle is for how long a record may have no task: so long may an application
	// be slow to upload attachments, or be frozen; 0: 2 min.
	Settle time.Duration
	// Share is the part of the time in which it may work, so that mails are not held
	// up by it; 0: all.
	Share float64
	// Seen is shown each record that Check goes through, once, as it is then. Nil:
	// nobody looks.
	Seen func(*ledger.Record)
	// Looked is told how many keys and members Check has just looked at. Nil: nobody is.
	Looked func(n int)
	Now    func() time.Time // nil: time.Now
	Logger zerolog.Logger   // of repairs; zero: silent
}

// A Reconciler is safe for concurrent use.
type Reconciler struct {
	rdb    redis.UniversalClient
	ledger *ledger.Ledger
	keep   time.Duration
	pause  time.Duration
	settle time.Duration
	share  float64
	seen   func(*ledger.Record)
	looked func(int)
	now    func() time.Time
	log    zerolog.Logger
}

// New makes a reconciler; it does no I/O.
func New(o Options) (*Reconciler, error) {
	book, err := ledger.New(ledger.Options{Redis: o.Redis, Keep: o.Keep, Now: o.Now})
	if o.Pause < 0 || o.Settle < 0 || o.Share < 0 || o.Share > 1 {
		err = errors.Join(err, errors.New("negative pause or settle, or a share beyond 0 to 1"))
	}
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	rc := &Reconciler{
		rdb: o.Redis, ledger: book, keep: cmp.Or(o.Keep, ledger.DefaultKeep), pause: cmp.Or(o.Pause, 2*time.Second),
		settle: cmp.Or(o.Settle, 2*time.Minute), share: cmp.Or(o.Share, 1), seen: o.Seen, looked: o.Looked, now: o.Now, log: o.Logger,
	}
	if rc.now == nil {
		rc.now = time.Now
	}
	return rc, nil
}

// Check looks at everything once, and hands out each finding once. Several may
// check at the same time, while producers and workers run. The error is Redis's, or
// the one of found, which ends the check; what was counted until then is answered.
func (rc *Reconciler) Check(ctx context.Context, found func(Finding) error) (Summary, error) {
	w := rc.newWalk(found)
	for _, step := range []func(context.Context) error{
		w.queues, w.blobs, w.members, w.records, w.tasks, w.backlogs, w.verify, w.forgotten, w.endless,
	} {
		if err := step(ctx); err != nil {
			return w.summary, fmt.Errorf("reconcile: %w", err)
		}
	}
	return w.summary, nil
}

// errEnough ends a walk whose caller wants no more.
var errEnough = errors.New("enough")

// Lost lists the mails that are on their way by their record and whose content
// nobody has any more. It costs less than a Check. The worker settles them as
// failed, on the revision that it reads then.
func (rc *Reconciler) Lost(ctx context.Context) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		w := rc.newWalk(func(f Finding) error {
			if !yield(f, nil) {
				return errEnough
			}
			return nil
		})
		w.only = Lost
		err := w.records(ctx)
		if err == nil {
			err = w.verify(ctx)
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(Finding{}, fmt.Errorf("reconcile: %w", err))
		}
	}
}

func (rc *Reconciler) newWalk(found func(Finding) error) *walk {
	return &walk{
		Reconciler: rc, found: found, begin: rc.now(),
		waiting: map[string]*hashes{}, done: newHashes(), shown: newHashes(), unreferred: map[string]bool{}, pasts: map[string]past{},
		summary: Summary{States: map[rohrpost.State]int{}, Findings: map[Kind]int{}},
	}
}

func (rc *Reconciler) judge() *judge {
	return &judge{now: rc.now(), keep: rc.keep, settle: rc.settle, ledger: rc.ledger}
}
