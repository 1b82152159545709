package reconcile

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

//go:embed place.lua
var placeSource string

//go:embed look.lua
var lookSource string

var lookScript = redis.NewScript(placeSource + lookSource)

// A view is all there is about one mail.
type view struct {
	key     payload.Key
	record  *ledger.Record // nil: none
	endless bool           // the record has no end
	tasks   []task         // of all queues
	missing int            // blobs of the mail that are gone
	entry   *entry         // nil: none matters
}

// A task is what a queue has of a mail: any of a hash and places in lists and sets.
type task struct {
	queue         string
	state, since  string // what the hash says
	listed        string // all places, as Redis has answered
	places        []place
	lease         time.Time // zero: none
	mail, foreign bool      // it has content; but not of a rohrpost producer
	job           *payload.Job
}

func (t *task) blobs() []string {
	if t.job == nil {
		return nil
	}
	return t.job.Blobs()
}

// A place is one entry in a list or a sorted set.
type place struct {
	name  string
	score int64 // Unix s; 0 in a list
}

// An entry is what matters about an account's backlog for one mail.
type entry struct {
	account, member string
	in              bool // it has the member
	blocked         bool // the account must wait
}

// member is how a backlog names a mail.
func member(queueName string, key payload.Key) string { return queueName + "/" + string(key) }

// in reports whether the task is in that place.
func (t *task) in(name string) bool {
	for _, p := range t.places {
		if p.name == name {
			return true
		}
	}
	return false
}

// mark is what changes whenever the mail moves. It leaves out lists: only an exact
// look sees them.
func (v *view) mark() string {
	var b strings.Builder
	if r := v.record; r != nil {
		fmt.Fprint(&b, r.State, " ", r.Revision, " ", r.UpdatedAt.UnixMilli())
		if r.Sending != nil {
			b.WriteString(r.Sending.Token)
		}
	}
	for _, t := range v.tasks {
		b.WriteString(t.state + t.since)
		for entry := range strings.SplitSeq(t.listed, ",") {
			if strings.Contains(entry, " ") { // it has a score
				b.WriteString(entry)
			}
		}
	}
	return b.String()
}

const (
	// page is how many mails are looked at in one round trip.
	page = 200
	// maxSteps bounds how many entries of lists one script looks through: some
	// 10 ms, in which Redis does nothing else.
	maxSteps = 300_000
)

// lookTasks reads the tasks of mails in one queue. The exact look sees their places
// in lists, too.
func (rc *Reconciler) lookTasks(ctx context.Context, queueName string, views []*view, exact bool) error {
	size, flag := page, 0
	if exact {
		length, err := rc.rdb.LLen(ctx, queue.Key(queueName, pending)).Result()
		if err != nil {
			return fmt.Errorf("look at tasks: %w", err)
		}
		size, flag = max(1, min(page, maxSteps/int(length+1))), 1
	}
	for _, part := range parts(views, size) {
		keys, args := placeKeys(queueName), []any{flag}
		for _, v := range part {
			keys = append(keys, taskKey(queueName, v.key))
			args = append(args, string(v.key))
		}
		answer, err := lookScript.Run(ctx, rc.rdb, keys, args...).Slice()
		if err != nil {
			return fmt.Errorf("look at tasks: %w", err)
		}
		for k, v := range part {
			if t, there := parseTask(queueName, answer[k]); there {
				v.tasks = append(v.tasks, t)
			}
		}
	}
	return nil
}

func placeKeys(queueName string) []string {
	var keys []string
	for _, name := range placeNames() {
		keys = append(keys, queue.Key(queueName, name))
	}
	return keys
}

// parts cuts a list into pages.
func parts[T any](list []T, size int) [][]T {
	var out [][]T
	for len(list) > 0 {
		n := min(size, len(list))
		out = append(out, list[:n])
		list = list[n:]
	}
	return out
}

// parseTask reads what look.lua answers for one id.
func parseTask(queueName string, answer any) (t task, there bool) {
	fields, _ := answer.([]any)
	if len(fields) != 4 {
		return t, false
	}
	text := func(i int) string { s, _ := fields[i].(string); return s }
	t = task{queue: queueName, state: text(0), since: text(1), listed: text(2), mail: text(3) != ""}
	for entry := range strings.SplitSeq(t.listed, ",") {
		name, score, _ := strings.Cut(entry, " ")
		at, _ := strconv.ParseFloat(score, 64)
		switch name {
		case "":
		case lease:
			t.lease = time.Unix(int64(at), 0)
		default:
			t.places = append(t.places, place{name, int64(at)})
		}
	}
	if t.mail {
		var err error
		t.job, err = payload.Decode(content([]byte(text(3))))
		t.foreign = err != nil && !errors.Is(err, payload.ErrVersion)
	}
	return t, t.state != "" || t.listed != "" || t.mail
}

// content takes the payload out of asynq's message: field 2 of a protocol buffer.
func content(msg []byte) []byte {
	for len(msg) > 0 {
		number, kind, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return nil
		}
		msg = msg[n:]
		if number == 2 && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(msg)
			return value
		}
		if n = protowire.ConsumeFieldValue(number, kind, msg); n < 0 {
			return nil
		}
		msg = msg[n:]
	}
	return nil
}

// lookRecords reads the records of mails, and whether they have an end.
func (rc *Reconciler) lookRecords(ctx context.Context, views []*view) error {
	keys := make([]payload.Key, len(views))
	for k, v := range views {
		keys[k] = v.key
	}
	records, err := rc.ledger.LoadAll(ctx, keys)
	if err != nil {
		return err
	}
	pipe := rc.rdb.Pipeline()
	ends := make([]*redis.DurationCmd, len(keys))
	for k, key := range keys {
		ends[k] = pipe.PTTL(ctx, ledger.RecordKey(key))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("look at records: %w", err)
	}
	for k, v := range views {
		v.record, v.endless = records[k], ends[k].Val() == -1
	}
	return nil
}

// lookAround reads the blobs of mails that wait, and the backlogs that matter.
func (rc *Reconciler) lookAround(ctx context.Context, views []*view) error {
	pipe := rc.rdb.Pipeline()
	there := map[string]*redis.IntCmd{}
	entries := map[*view]*redis.FloatCmd{}
	blocked := map[*view]*redis.BoolCmd{}
	for _, v := range views {
		for _, digest := range v.blobs() {
			if there[digest] == nil {
				there[digest] = pipe.Exists(ctx, blob.Key(digest))
			}
		}
		v.wantEntry()
		if v.entry != nil {
			entries[v] = pipe.ZScore(ctx, backlog.Key(v.entry.account), v.entry.member)
			blocked[v] = pipe.HExists(ctx, breaker.StatesKey, v.entry.account)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("look around: %w", err)
	}
	for _, v := range views {
		for _, digest := range v.blobs() {
			if there[digest].Val() == 0 {
				v.missing++
			}
		}
		if v.entry != nil {
			v.entry.in, v.entry.blocked = entries[v].Err() == nil, blocked[v].Val()
		}
	}
	return nil
}

// digests are the blobs that a mail on its way needs.
func (v *view) blobs() []string {
	if v.record == nil || v.record.State.Final() {
		return nil
	}
	var list []string
	for _, t := range v.tasks {
		list = append(list, t.blobs()...)
	}
	return list
}

// wantEntry names the backlog in which a parked mail should be.
func (v *view) wantEntry() {
	if v.entry != nil || v.record == nil || v.record.State != rohrpost.Parked || v.record.Account == "" {
		return
	}
	for _, t := range v.tasks {
		if t.in(retry) {
			v.entry = &entry{account: v.record.Account, member: member(t.queue, v.key)}
		}
	}
}

// look is all there is about mails: their tasks, and then their records.
func (rc *Reconciler) look(ctx context.Context, views []*view, exact bool) error {
	for _, name := range queue.Names() {
		if err := rc.lookTasks(ctx, name, views, exact); err != nil {
			return err
		}
	}
	if err := rc.lookRecords(ctx, views); err != nil {
		return err
	}
	return rc.lookAround(ctx, views)
}
