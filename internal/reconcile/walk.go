package reconcile

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

//go:embed misfits.lua
var misfitsSource string

var misfitsScript = redis.NewScript(misfitsSource)

// A walk is one check. What it keeps in memory are some bytes for each pending task,
// and what is suspect.
type walk struct {
	*Reconciler
	found   func(Finding) error
	only    Kind // no other is looked for; empty: all
	begin   time.Time
	summary Summary

	waiting    map[string]*hashes // the pending lists, by queue
	suspects   []suspect
	doubts     []doubt
	done       *hashes         // what has been handed out
	shown      *hashes         // records: a scan may come by twice
	missed     []string        // queues that asynq does not know
	unreferred map[string]bool // digests of blobs without an end
	pasts      map[string]past // of the Redis that holds a queue, by queue
}

// members goes through the lists and sets of asynq. It remembers the pending lists,
// and suspects mails that are there twice, or whose task says otherwise.
func (w *walk) members(ctx context.Context) error {
	for _, name := range queue.Names() {
		w.waiting[name] = newHashes()
		for _, set := range placeNames() {
			visit := func(ids []string) error { return w.misfits(ctx, name, set, ids) }
			scan := w.scanSet
			if set == pending || set == active {
				scan = w.scanList
				seen := newHashes()
				if set == pending {
					seen = w.waiting[name]
				}
				visit = func(ids []string) error {
					for _, id := range ids {
						if !seen.add(id) {
							w.suspect(suspect{key: payload.Key(id), surely: true})
						}
					}
					return w.misfits(ctx, name, set, ids)
				}
			}
			if err := scan(ctx, queue.Key(name, set), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) misfits(ctx context.Context, queueName, set string, ids []string) error {
	keys := make([]string, len(ids))
	for k, id := range ids {
		keys[k] = taskKey(queueName, payload.Key(id))
	}
	state := set
	if set == lease {
		state = active
	}
	positions, err := misfitsScript.Run(ctx, w.rdb, keys, state).Int64Slice()
	if err != nil {
		return fmt.Errorf("look at tasks: %w", err)
	}
	for _, p := range positions {
		w.suspect(suspect{key: payload.Key(ids[p-1]), surely: true})
	}
	return w.weigh(ctx, false)
}

// records goes through the ledger: each mail on its way must have its task.
func (w *walk) records(ctx context.Context) error {
	return w.scan(ctx, ledger.RecordPattern, func(keys []string) error {
		views := make([]*view, len(keys))
		for k, key := range keys {
			views[k] = &view{key: ledger.ParseRecordKey(key)}
		}
		if err := w.lookRecords(ctx, views); err != nil {
			return err
		}
		byQueue := map[string][]*view{}
		var waiting []*view
		for k, v := range views {
			r := v.record
			if r == nil {
				continue // it has just ended
			}
			w.summary.States[r.State]++
			w.show(keys[k], r)
			if r.State.Final() {
				if v.endless && w.only == "" {
					w.suspect(suspect{key: v.key, surely: true})
				}
				continue
			}
			w.summary.OnTheWay++
			waiting = append(waiting, v)
			for _, name := range queue.Names() {
				if r.Queue == "" || r.Queue == name { // without one it is a worker's
					byQueue[name] = append(byQueue[name], v)
				}
			}
		}
		return w.compare(ctx, byQueue, waiting)
	})
}

// show hands a record to Options.Seen.
func (w *walk) show(key string, r *ledger.Record) {
	if w.seen != nil && w.only == "" && w.shown.add(key) {
		w.seen(r)
	}
}

// compare takes a cheap look at the tasks of mails whose records are known.
func (w *walk) compare(ctx context.Context, byQueue map[string][]*view, views []*view) error {
	for name, some := range byQueue {
		if err := w.lookTasks(ctx, name, some, false); err != nil {
			return err
		}
	}
	if err := w.lookAround(ctx, views); err != nil {
		return err
	}
	for _, v := range views {
		if w.cheaply(v) {
			w.suspect(suspect{key: v.key})
		}
	}
	return w.weigh(ctx, false)
}

// cheaply reports whether a view of a cheap look gives cause to look again.
func (w *walk) cheaply(v *view) bool {
	for k := range v.tasks {
		t := &v.tasks[k]
		for _, digest := range t.blobs() {
			delete(w.unreferred, digest)
		}
		if t.state == pending && (w.waiting[t.queue].has(string(v.key)) || w.isNew(t)) {
			t.places = append(t.places, place{name: pending})
		}
	}
	return slices.ContainsFunc(w.judge().findings(v), w.wanted)
}

func (w *walk) wanted(f Finding) bool { return w.only == "" || w.only == f.Kind }

// isNew reports whether a task was enqueued after the pending lists were read.
func (w *walk) isNew(t *task) bool {
	since, err := strconv.ParseInt(t.since, 10, 64)
	return err == nil && since >= w.begin.UnixNano()
}

// tasks goes through the tasks whose mail has ended, or has no record.
func (w *walk) tasks(ctx context.Context) error {
	return w.scan(ctx, queue.TaskPattern, func(keys []string) error {
		var views []*view
		var queues []string
		for _, key := range keys {
			ref := queue.ParseTaskKey(key)
			if slices.Contains(queue.Names(), ref.Queue) && ref.ID != "" {
				views, queues = append(views, &view{key: payload.Key(ref.ID)}), append(queues, ref.Queue)
			}
		}
		w.summary.Tasks += len(views)
		if err := w.lookRecords(ctx, views); err != nil {
			return err
		}
		byQueue := map[string][]*view{}
		var rest []*view
		for k, v := range views {
			switch r := v.record; {
			case r == nil || r.State.Final():
				byQueue[queues[k]] = append(byQueue[queues[k]], v)
				rest = append(rest, v)
			case r.Queue != "" && r.Queue != queues[k]:
				w.suspect(suspect{key: v.key, surely: true}) // two tasks
			}
		}
		return w.compare(ctx, byQueue, rest)
	})
}

// backlogs goes through the backlogs of accounts: their mails must wait, or be under way.
func (w *walk) backlogs(ctx context.Context) error {
	return w.Reconciler.scan(ctx, backlog.Pattern, func(keys []string) error { // each is read in pages
		for _, key := range keys {
			account := backlog.ParseKey(key)
			err := w.scanSet(ctx, key, func(members []string) error {
				w.summary.Backlogs += len(members)
				return w.guests(ctx, account, members)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *walk) guests(ctx context.Context, account string, members []string) error {
	byQueue := map[string][]*view{}
	views := make([]*view, len(members))
	for k, member := range members {
		name, id, _ := strings.Cut(member, "/")
		views[k] = &view{key: payload.Key(id), entry: &entry{account: account, member: member}}
		if slices.Contains(queue.Names(), name) {
			byQueue[name] = append(byQueue[name], views[k])
		}
	}
	for name, some := range byQueue {
		if err := w.lookTasks(ctx, name, some, false); err != nil {
			return err
		}
	}
	if err := w.lookRecords(ctx, views); err != nil {
		return err
	}
	for _, v := range views {
		if w.judge().stale(v, v.entry) {
			w.suspect(suspect{key: v.key, entry: v.entry, surely: true})
		}
	}
	return w.weigh(ctx, false)
}
