package reconcile

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// slack is by how much the clocks of workers and applications may differ from that of
// Redis.
const slack = time.Minute

// A past is what a Redis tells of itself.
type past struct {
	known bool
	since time.Time // when its process started
	// broken: it has been a replica, which may have lacked the last writes of its
	// master, or it has thrown keys away for want of memory. It does not say when.
	broken bool
}

// explain says how a mail was lost. A Redis that has run since before the mail was
// last seen in the queue has lost nothing: somebody has deleted the task.
func (w *walk) explain(ctx context.Context, f *Finding, r *ledger.Record) {
	p, ok := w.pasts[f.Queue]
	if !ok {
		p = w.pastOf(ctx, f.Queue)
		w.pasts[f.Queue] = p
	}
	seen := touched(r)
	switch {
	case !p.known || p.broken:
		f.Cause = Unclear
	case p.since.Before(seen.Add(-slack)):
		f.Cause = Deleted
	case p.since.After(seen.Add(slack)):
		f.Cause = Restarted
	default:
		f.Cause = Unclear
	}
	f.Detail += ": " + causeWords(f.Cause)
}

// pastOf asks the Redis that holds a queue. One that refuses INFO is not known.
func (rc *Reconciler) pastOf(ctx context.Context, name string) past {
	if name == "" { // a worker wrote the record; only in a Cluster it matters
		name = queue.Names()[0]
	}
	node, err := redisconn.MasterOf(ctx, rc.rdb, queue.Key(name, pending))
	if err != nil {
		return past{}
	}
	text, err := node.Info(ctx).Result()
	if err != nil {
		return past{}
	}
	return parsePast(text)
}

// parsePast reads the answer to INFO.
func parsePast(text string) past {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[key] = value
	}
	now, err1 := strconv.ParseInt(fields["server_time_usec"], 10, 64)
	seconds, err2 := strconv.ParseInt(fields["uptime_in_seconds"], 10, 64)
	if err1 != nil || err2 != nil {
		return past{}
	}
	return past{
		known:  true,
		since:  time.UnixMicro(now).Add(-time.Duration(seconds) * time.Second),
		broken: fields["second_repl_offset"] != "-1" || fields["evicted_keys"] != "0",
	}
}
