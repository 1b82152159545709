package inventory

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
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/queue"
)

//go:embed place.lua
var placeSource string

//go:embed look.lua
var lookSource string

var lookScript = redis.NewScript(placeSource + lookSource)

// A view is all there is about one mail.
type view struct {
	key     rohrpost.Key
	record  *ledger.Record // nil: none
	endless bool           // the record has no end
	tasks   []task         // of all queues
	missing int            // blobs of the mail that are gone
	room    *room          // nil: none matters
}

// A task is what a queue has of a mail: any of a hash and places in lists and sets.
type task struct {
	queue         string
	state, since  string // what the hash says
	listed        string // all places, as Redis has answered
	places        []place
	lease         time.Time // zero: none
	mail, foreign bool      // it has content; but not of a rohrpost producer
	job           *rohrpost.Job
}

func (t *task) digests() []string {
	if t.job == nil {
		return nil
	}
	return t.job.Digests()
}

// A place is one entry in a list or a sorted set.
type place struct {
	name  string
	score int64 // Unix s; 0 in a list
}

// A room is what matters about an account's room for one mail.
type room struct {
	account, member string
	in              bool // it has the member
	closed          bool // the account must wait
}

// member is how a mail is called in a room.
func member(queueName string, key rohrpost.Key) string { return queueName + "/" + string(key) }

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
func (i *Inventory) lookTasks(ctx context.Context, queueName string, views []*view, exact bool) error {
	size, flag := page, 0
	if exact {
		length, err := i.rdb.LLen(ctx, queue.Key(queueName, pending)).Result()
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
		answer, err := lookScript.Run(ctx, i.rdb, keys, args...).Slice()
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
		t.job, err = rohrpost.DecodeJob(payload([]byte(text(3))))
		t.foreign = err != nil && !errors.Is(err, rohrpost.ErrPayloadVersion)
	}
	return t, t.state != "" || t.listed != "" || t.mail
}

// payload takes the payload out of asynq's message: field 2 of a protocol buffer.
func payload(msg []byte) []byte {
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
func (i *Inventory) lookRecords(ctx context.Context, views []*view) error {
	keys := make([]rohrpost.Key, len(views))
	for k, v := range views {
		keys[k] = v.key
	}
	records, err := i.ledger.LoadAll(ctx, keys)
	if err != nil {
		return err
	}
	pipe := i.rdb.Pipeline()
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

// lookAround reads the blobs of mails that wait, and the rooms that matter.
func (i *Inventory) lookAround(ctx context.Context, views []*view) error {
	pipe := i.rdb.Pipeline()
	there := map[string]*redis.IntCmd{}
	rooms := map[*view]*redis.FloatCmd{}
	closed := map[*view]*redis.BoolCmd{}
	for _, v := range views {
		for _, digest := range v.digests() {
			if there[digest] == nil {
				there[digest] = pipe.Exists(ctx, blob.Key(digest))
			}
		}
		v.wantRoom()
		if v.room != nil {
			rooms[v] = pipe.ZScore(ctx, gate.RoomKey(v.room.account), v.room.member)
			closed[v] = pipe.HExists(ctx, gate.NoticesKey, v.room.account)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("look around: %w", err)
	}
	for _, v := range views {
		for _, digest := range v.digests() {
			if there[digest].Val() == 0 {
				v.missing++
			}
		}
		if v.room != nil {
			v.room.in, v.room.closed = rooms[v].Err() == nil, closed[v].Val()
		}
	}
	return nil
}

// digests are the blobs that a mail on its way needs.
func (v *view) digests() []string {
	if v.record == nil || v.record.State.Final() {
		return nil
	}
	var list []string
	for _, t := range v.tasks {
		list = append(list, t.digests()...)
	}
	return list
}

// wantRoom names the room in which a parked mail should be.
func (v *view) wantRoom() {
	if v.room != nil || v.record == nil || v.record.State != rohrpost.Parked || v.record.Account == "" {
		return
	}
	for _, t := range v.tasks {
		if t.in(retry) {
			v.room = &room{account: v.record.Account, member: member(t.queue, v.key)}
		}
	}
}

// look is all there is about mails: their tasks, and then their records.
func (i *Inventory) look(ctx context.Context, views []*view, exact bool) error {
	for _, name := range queue.Names() {
		if err := i.lookTasks(ctx, name, views, exact); err != nil {
			return err
		}
	}
	if err := i.lookRecords(ctx, views); err != nil {
		return err
	}
	return i.lookAround(ctx, views)
}
