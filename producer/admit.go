package producer

import (
	"context"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/quota"
)

// admit refuses what Redis has no memory for, and what the limits of its tenant do not
// allow. Tenants that are far below their limits are not asked for: their mails are
// counted in the pipelines that write them.
func (p *portion) admit(ctx context.Context) error {
	if reading, fits := p.client.memory.Fits(ctx, p.size, p.largest); !fits {
		return full(reading)
	}
	var batch lua.Batch
	var questions []question
	for _, s := range byTenant(p.entries) {
		if !p.client.quota.Ample(s.tenant, s.sum) {
			questions = append(questions, question{s, p.client.quota.Ask(&batch, s.tenant, s.weights())})
		}
	}
	key := p.client.firstKey(&batch)
	if err := batch.Exec(ctx, p.client.rdb); err != nil {
		return err
	}
	key.Learn()
	for _, q := range questions {
		if err := p.client.heed(ctx, q); err != nil {
			return err
		}
	}
	p.entries = slices.DeleteFunc(p.entries, func(e *entry) bool { return e.result.Err != nil })
	return nil
}

// A question is which mails of a tenant may wait.
type question struct {
	share
	answer quota.Answer
}

// heed refuses what may not wait. An id that is known already needs no room: its Send is
// answered with the first receipt, however much waits.
func (c *Client) heed(ctx context.Context, q question) error {
	verdicts, waiting, err := q.answer.Verdicts()
	if err != nil {
		return err
	}
	var refused []*entry
	for i, e := range q.entries {
		if e.counted = verdicts[i] == quota.Granted; !e.counted {
			e.result.Err = c.exceeded(verdicts[i], q.tenant, waiting)
			refused = append(refused, e)
		}
	}
	return c.spareKnown(ctx, refused)
}

// spareKnown takes back the refusal of what was sent before.
func (c *Client) spareKnown(ctx context.Context, refused []*entry) error {
	var keys []payload.Key
	var owners []*entry
	for _, e := range refused {
		if e.ownID {
			keys = append(keys, e.job.Key(), payload.KeyOf("", e.job.ID)) // of this version, and of an older one
			owners = append(owners, e, e)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	records, err := c.ledger.LoadAll(ctx, keys)
	for i, r := range records {
		if r != nil && r.Tenant == owners[i].job.Tenant {
			owners[i].result.Err = nil
		}
	}
	return err
}

// A share is what a tenant has of a portion, and does not count yet.
type share struct {
	tenant  string
	entries []*entry
	sum     quota.Amount
}

func (s *share) weights() []int64 {
	weights := make([]int64, len(s.entries))
	for i, e := range s.entries {
		weights[i] = e.weight
	}
	return weights
}

// byTenant are the shares of a portion.
func byTenant(entries []*entry) []share {
	var shares []share
	places := map[string]int{}
	for _, e := range entries {
		if e.counted {
			continue
		}
		at, known := places[e.job.Tenant]
		if !known {
			at = len(shares)
			places[e.job.Tenant] = at
			shares = append(shares, share{tenant: e.job.Tenant})
		}
		s := &shares[at]
		s.entries = append(s.entries, e)
		s.sum = s.sum.Plus(quota.Amount{Mails: 1, Bytes: e.weight})
	}
	return shares
}

// A count travels with mails that nobody had to ask for.
type count struct {
	share
	addition quota.Addition
}

// count appends to a batch that the entries wait.
func (c *Client) count(batch *lua.Batch, entries []*entry) []count {
	shares := byTenant(entries)
	counts := make([]count, len(shares))
	for i, s := range shares {
		counts[i] = count{s, c.quota.Add(batch, s.tenant, s.sum)}
	}
	return counts
}

// counted notes, after the batch ran, which entries count.
func counted(counts []count) {
	for _, n := range counts {
		if n.addition.Learn() != nil {
			continue
		}
		for _, e := range n.entries {
			e.counted = true
		}
	}
}

// finish takes back the records and blobs of mails that Redis has refused, and what
// those count that do not wait: refused, or sent before. Where no answer came it leaves
// all as it is.
func (p *portion) finish(ctx context.Context, entries []*entry) {
	var batch lua.Batch
	var refused []blob.Use
	var late []*entry
	for _, e := range entries {
		waits := e.result.Err == nil && !e.result.Receipt.Duplicate
		switch {
		case e.unclear:
		case e.counted && !waits:
			p.client.returns.Change(e.job.Tenant, -1, -e.weight)
		case !e.counted && waits:
			p.client.returns.Change(e.job.Tenant, 1, e.weight)
		}
		if e.late {
			late = append(late, e)
		}
		if e.result.Err == nil || e.unclear {
			continue
		}
		if e.reserved {
			e.reservation.Withdraw(&batch)
		}
		if !e.ownID { // else another Send of the same id may have enqueued it meanwhile
			refused = append(refused, blob.UseOf(e.job))
		}
	}
	p.client.list(&batch, late)
	_ = p.client.blobs.Leave(context.WithoutCancel(ctx), refused...)
	_ = batch.Exec(context.WithoutCancel(ctx), p.client.rdb) // the reconciler finds what stays
	p.client.tally(ctx)
}

// answered tells a refusal from a reply that was lost, after which nobody knows.
func answered(err error) bool {
	_, reply := errors.AsType[redis.Error](err)
	_, full := errors.AsType[*QuotaError](err)
	return reply || full || errors.Is(err, errInTheWay)
}
