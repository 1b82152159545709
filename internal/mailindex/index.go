package mailindex

import (
	"cmp"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// Slack is how soon after it was enqueued a mail must have been accepted so that the
// journal alone has it.
const Slack = time.Hour

// DefaultKeep is that of the ledger.
const DefaultKeep = 48 * time.Hour

// Options of an Index.
type Options struct {
	Redis redis.UniversalClient
	Keep  time.Duration    // how long a record stays after the end of its mail; 0: 48 hours
	Now   func() time.Time // nil: time.Now
}

// An Index is safe for concurrent use.
type Index struct {
	rdb  redis.UniversalClient
	keep time.Duration
	now  func() time.Time
	keys keyring
}

// New makes an index; it does no I/O.
func New(o Options) (*Index, error) {
	if o.Redis == nil || o.Keep < 0 {
		return nil, errors.New("mailindex: no redis client, or a negative keep")
	}
	x := &Index{rdb: o.Redis, keep: cmp.Or(o.Keep, DefaultKeep), now: o.Now}
	if x.now == nil {
		x.now = time.Now
	}
	x.keys.tenants = map[string]*printer{}
	return x, nil
}

// blockEnds is when the journal of an hour ends.
func (x *Index) blockEnds(hour int64) time.Time { return hourTime(hour + 1).Add(Slack + x.keep) }

// countsEnd is when the counts of a day end.
func (x *Index) countsEnd(day int64) time.Time { return hourTime(24 * (day + 1)).Add(x.keep) }

// An Addition is the answer to Add, to be read after the batch ran.
type Addition struct {
	printer *printer
	hour    int64
	calls   []*lua.Call // that have given the keys of the hour their ends
	now     time.Time
}

// Add appends to a batch that mails of a tenant were enqueued within an hour: one command
// for the journal, and one that counts; once a minute three more. Nothing comes of it while
// the key is not Known.
func (x *Index) Add(b *lua.Batch, tenant string, mails []Mail) Addition {
	p := x.printer(tenant)
	if p == nil || len(mails) == 0 {
		return Addition{}
	}
	block := make([]byte, 0, 64*len(mails))
	for i := range mails {
		block = p.appendBlock(block, &mails[i])
	}
	a := Addition{printer: p, hour: hourOf(mails[0].EnqueuedAt), now: x.now()}
	at, ended := p.place(tenant, a.hour, a.now)
	b.Command("APPEND", at.block, block)
	b.Command("HINCRBY", at.counts, at.field, len(mails))
	if !ended {
		a.calls = append(a.calls,
			b.Command("PEXPIREAT", at.block, x.blockEnds(a.hour).UnixMilli()),
			b.Command("PEXPIREAT", at.counts, x.countsEnd(a.hour/24).UnixMilli()))
		if tenant != "" {
			a.calls = append(a.calls, b.Command("ZADD", tenantsKey, 0, tenant))
		}
	}
	return a
}

// Learn remembers that the keys have their ends.
func (a Addition) Learn() {
	for _, call := range a.calls {
		if call.Err() != nil {
			return
		}
	}
	if len(a.calls) > 0 {
		a.printer.ended(a.hour, a.now)
	}
}
