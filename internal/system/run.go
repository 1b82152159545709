package system

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

// A run is the check of this process.
type run struct {
	*Checks
	line *audit.Entry // of a repair

	mu    sync.Mutex
	check *Check
}

// beginLocked writes down what begins. The caller holds the lock of the Checks.
func (r *run) beginLocked(ctx context.Context, by audit.Record) error {
	if r.closed {
		return ErrClosed
	}
	if r.check.Repair {
		by.Action = audit.Repair
		var err error
		if r.line, err = begin(ctx, r.options.Audit, by); err != nil {
			return err
		}
	}
	err := r.put(ctx, lockTime)
	if err != nil && r.line != nil {
		err = errors.Join(err, r.line.Done(ctx, 0))
	}
	return err
}

// do looks, and says every second how far it is.
func (r *run) do(ctx context.Context, cancel context.CancelFunc) {
	ended := make(chan struct{})
	var progress sync.WaitGroup
	progress.Go(func() { r.tell(ctx, cancel, ended) })
	summary, err := r.look(ctx, r.seen, func(rc *reconcile.Reconciler, f reconcile.Finding) error { return r.found(ctx, rc, f) })
	close(ended)
	progress.Wait()
	r.mu.Lock()
	r.check.Summary = summary
	r.mu.Unlock()
	failure := failureOf(ctx, err)
	if err != nil {
		r.options.Logger.Warn().Err(err).Str("user", r.check.Who).Msg("a check of the queues has ended early")
	}
	last, free := context.WithTimeout(context.Background(), writeTimeout)
	defer free()
	r.finish(last, failure)
}

// tell writes the progress until the check has ended. A check that has lost its lock
// ends: another may have begun.
func (r *run) tell(ctx context.Context, cancel context.CancelFunc, ended <-chan struct{}) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := r.put(ctx, lockTime); errors.Is(err, errLost) {
			cancel()
			return
		}
	}
}

func (r *run) seen(*ledger.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check.Looked++
}

// found notes a finding, and repairs it if that was asked for.
func (r *run) found(ctx context.Context, rc *reconcile.Reconciler, found reconcile.Finding) error {
	f := Finding{Finding: found}
	var err error
	if r.check.Repair && f.Repairable {
		err = rc.Repair(ctx, found)
		f.Repaired = err == nil
	}
	refused := noRights(err)
	if err != nil && !refused {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.check.Found++
	r.check.Repairable += count(f.Repairable)
	r.check.Repaired += count(f.Repaired)
	r.check.Refused += count(refused)
	if len(r.check.Findings) < maxFindings {
		r.check.Findings = append(r.check.Findings, f)
	}
	return nil
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// finish writes the end and gives the lock back; the history has it before, so that
// whoever reads that the check has ended finds it complete there.
func (r *run) finish(ctx context.Context, failure Failure) {
	r.mu.Lock()
	r.check.Ended, r.check.Failure = r.options.Now().UTC(), failure
	repaired := r.check.Repaired
	r.mu.Unlock()
	var written error
	if r.line != nil {
		written = r.line.Done(ctx, repaired)
	}
	if err := errors.Join(written, r.put(ctx, 0)); err != nil {
		r.options.Logger.Warn().Err(err).Msg("the end of a check of the queues is not written down")
	}
}

// errLost says that the lock has ended.
var errLost = errors.New("the lock of the check has ended")

// put writes how far the check is. hold is for how long the lock is held on; 0: no more.
func (r *run) put(ctx context.Context, hold time.Duration) error {
	r.mu.Lock()
	text, err := json.Marshal(r.check)
	r.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write a check: %w", err)
	}
	written, err := putScript.Run(ctx, r.options.Redis, []string{lockKey, lastKey}, r.check.ID, text, hold.Milliseconds(), checkKept.Milliseconds()).Bool()
	switch {
	case err != nil:
		return fmt.Errorf("write a check: %w", err)
	case !written:
		return errLost
	}
	return nil
}

func failureOf(ctx context.Context, err error) Failure {
	switch {
	case err == nil:
		return ""
	case noRights(err):
		return NoRights
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return NoTime
	case ctx.Err() != nil:
		return Abandoned
	}
	return NoAnswer
}

// noRights reports whether Redis refuses something to the user of this process, in a
// command or within a script.
func noRights(err error) bool {
	return redis.HasErrorPrefix(err, "NOPERM") || err != nil && strings.Contains(err.Error(), "ACL failure in script")
}
