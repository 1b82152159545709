package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/quota"
)

// What is refused although nothing is wrong with it: it may be sent later. The error is
// a *QuotaError.
var (
	// ErrQuota says that as much waits as may.
	ErrQuota = errors.New("a quota is used up")
	// ErrRedisFull says so of the memory of Redis, and therefore of everybody: its last
	// tenth is for the workers. It is an ErrQuota, too.
	ErrRedisFull = errors.New("the memory of redis is full")
)

// The quotas of a QuotaError.
const (
	QuotaMails  = "limits.waiting_mails_per_tenant"
	QuotaBytes  = "limits.waiting_bytes_per_tenant"
	QuotaMemory = "redis.maxmemory"
)

// The defaults of Options.
const (
	DefaultWaitingMails = 200_000
	DefaultWaitingBytes = 4 << 30
)

// A QuotaError says which quota does not allow a mail.
type QuotaError struct {
	Quota   string // the setting: QuotaMails, QuotaBytes, or QuotaMemory
	Tenant  string // whose mails wait; empty: the platform's, or everybody's of QuotaMemory
	Limit   int64  // mails or bytes
	Current int64  // that were waiting, or are used
}

// Error is one line with the remedy.
func (e *QuotaError) Error() string {
	const remedy = "send it again when some have left, cancel some, or raise the limit"
	switch e.Quota {
	case QuotaMails:
		return fmt.Sprintf("%v: %d mails of %s are waiting, and %s is %d: %s", ErrQuota, e.Current, whose(e.Tenant), e.Quota, e.Limit, remedy)
	case QuotaBytes:
		return fmt.Sprintf("%v: %s of mails of %s are waiting, this one would be too many, and %s is %s: %s",
			ErrQuota, size(e.Current), whose(e.Tenant), e.Quota, size(e.Limit), remedy)
	}
	return fmt.Sprintf("%v: it uses %s, and the mail would leave less than a tenth of maxmemory %s for the workers: "+
		"send it again when some have left, or raise maxmemory", ErrRedisFull, size(e.Current), size(e.Limit))
}

// Unwrap lets errors.Is find ErrQuota and ErrRedisFull.
func (e *QuotaError) Unwrap() []error {
	if e.Quota == QuotaMemory {
		return []error{ErrQuota, ErrRedisFull}
	}
	return []error{ErrQuota}
}

func whose(tenant string) string {
	if tenant == "" {
		return "the platform"
	}
	return fmt.Sprintf("tenant %q", tenant)
}

// size is "4.0 GiB".
func size(n int64) string {
	for _, unit := range []struct {
		name string
		n    int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}} {
		if n >= unit.n {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.n), unit.name)
		}
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}

// quotas are the limits of each tenant; to package quota 0 is none.
func (o Options) quotas() quota.Amount {
	limit := func(n, standard int64) int64 { return max(0, cmp.Or(n, standard)) }
	return quota.Amount{Mails: limit(o.WaitingMailsPerTenant, DefaultWaitingMails), Bytes: limit(o.WaitingBytesPerTenant, DefaultWaitingBytes)}
}

// exceeded is the error of a verdict while so much waits for the tenant.
func (c *Client) exceeded(v quota.Verdict, tenant string, waiting quota.Amount) *QuotaError {
	if v == quota.TooManyMails {
		return &QuotaError{Quota: QuotaMails, Tenant: tenant, Limit: c.quota.Limits().Mails, Current: waiting.Mails}
	}
	return &QuotaError{Quota: QuotaBytes, Tenant: tenant, Limit: c.quota.Limits().Bytes, Current: waiting.Bytes}
}

func full(r headroom.Reading) *QuotaError {
	return &QuotaError{Quota: QuotaMemory, Limit: r.Max, Current: r.Used}
}

// tally writes what the client has counted wrongly, or has ended. What Redis does not
// take now goes with the next one; workers set right what is lost.
func (c *Client) tally(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	_ = c.returns.Flush(ctx)
	_ = c.becomes.Flush(ctx)
}
