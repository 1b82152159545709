package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// A RetryFilter picks mails that have failed, as a whole or in part, have expired or
// are uncertain. What is set must match; at least one must be set.
type RetryFilter struct {
	Tenant   string // of this tenant; mails of the platform itself are picked by Account
	Account  string // whose last attempt used this account, as in Status.Account
	Category string // whose last failure has this category, as auth_failed; or "expired"
	DryRun   bool   // only tell which
}

// Matches reports whether what is set matches the job.
func (f RetryFilter) Matches(s rohrpost.Status) bool {
	return (f.Tenant == "" || f.Tenant == s.Tenant) &&
		(f.Account == "" || f.Account == s.Account) &&
		(f.Category == "" || f.Category == s.LastFailure().Category || s.State == rohrpost.Expired && f.Category == "expired")
}

// Check refuses a filter that would pick every mail.
func (f RetryFilter) Check() error {
	if f.Tenant == "" && f.Account == "" && f.Category == "" {
		return errors.New("retry: name a tenant, an account or a category")
	}
	return nil
}

// RetryAll retries the mails that a filter picks, and answers with their ids: those
// sent again or, in a dry run, those that would be. A mail that somebody else has
// sent again meanwhile is passed over. The error is Redis's, and then RetryAll may
// be repeated; or it counts the mails whose content is not kept any more, and wraps
// ErrContentGone. A bound client's picks among the mails of its tenant.
func (c *Client) RetryAll(ctx context.Context, f RetryFilter) ([]string, error) {
	f.Tenant = cmp.Or(f.Tenant, c.rules.Tenant())
	if err := f.Check(); err != nil {
		return nil, err
	}
	picked, err := c.pick(ctx, f)
	if err != nil {
		return nil, err
	}
	var again []string
	gone := 0
	for _, key := range picked {
		switch err := c.again(ctx, key, f.DryRun); {
		case err == nil:
			again = append(again, key.ID())
		case errors.Is(err, ErrContentGone):
			gone++
		case errors.Is(err, ErrNothingToRetry), errors.Is(err, ErrSending), errors.Is(err, ledger.ErrUnknown):
		default:
			return again, jobError(key.ID(), err)
		}
	}
	if gone > 0 {
		return again, fmt.Errorf("%d of %d mails: %w", gone, len(picked), ErrContentGone)
	}
	return again, nil
}

// again retries one of the picked mails, unless it is only asked which.
func (c *Client) again(ctx context.Context, key payload.Key, dry bool) error {
	if dry {
		return nil
	}
	record, err := c.ledger.Load(ctx, key)
	if err != nil {
		return err
	}
	return c.retry(ctx, record)
}

// pick is the mails that match, by their ids. asynq archives what has failed;
// what is held as uncertain stays among the tasks that wait. In both places there may
// be mails that an interrupted Retry has reopened and not run.
func (c *Client) pick(ctx context.Context, f RetryFilter) ([]payload.Key, error) {
	var picked []payload.Key
	look := func(ids []string, ended func(*ledger.Record) bool) error {
		keys := make([]payload.Key, len(ids))
		for i, id := range ids {
			keys[i] = payload.Key(id)
		}
		records, err := c.ledger.LoadAll(ctx, keys)
		for _, r := range records {
			if r != nil && ended(r) && c.rules.Sees(r.Tenant) && f.Matches(r.Status) {
				picked = append(picked, r.Key)
			}
		}
		return err
	}
	archived := func(r *ledger.Record) bool { return unsent(r) == nil }
	held := func(r *ledger.Record) bool { return r.State == rohrpost.Uncertain || r.Reopened() }
	for _, name := range queue.Names() {
		err := errors.Join(
			queue.Scan(ctx, c.rdb, name, queue.Archived, func(ids []string) error { return look(ids, archived) }),
			queue.Scan(ctx, c.rdb, name, queue.Retry, func(ids []string) error { return look(ids, held) }),
		)
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(picked)
	return slices.Compact(picked), nil
}
