package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// MaxLines is how many acts are kept, the latest.
	MaxLines = 10_000
	// maxMails is how many mails a line names.
	maxMails = 5
	// maxName bounds the name of a person, and maxID what names a mail, in bytes.
	maxName, maxID = 128, 512
	// finishTimeout is how long writing down an outcome may take, whoever has given
	// up waiting for it.
	finishTimeout = 5 * time.Second
)

// An Action is what was done, or asked for.
type Action string

// What operators do.
const (
	Cancel     Action = "cancel"
	Retry      Action = "retry"
	Reschedule Action = "reschedule"
	Delete     Action = "delete" // a task that is no mail of which the ledger knows
	Pause      Action = "pause"
	Resume     Action = "resume"
	Repair     Action = "repair"
	Correct    Action = "send to a corrected address"

	// About accounts.
	Unlock  Action = "unlock" // own servers of a tenant
	Lock    Action = "lock"
	Approve Action = "approve" // settings
	Refuse  Action = "refuse"  // settings, or a request for own servers
	Release Action = "release" // an account that was parked
)

// What is refused on the dashboard.
const (
	DeleteAll   Action = "delete all"
	Archive     Action = "archive"
	Interrupt   Action = "interrupt" // a worker at its work
	DeleteQueue Action = "delete queue"
	Other       Action = "other"
)

// Actions are all of them.
func Actions() []Action {
	return []Action{Cancel, Retry, Reschedule, Correct, Delete, Pause, Resume, Repair, Unlock, Lock, Approve, Refuse, Release, DeleteAll, Archive, Interrupt, DeleteQueue, Other}
}

// A Source is from where an act came.
type Source string

// The sources.
const (
	Dashboard   Source = "dashboard" // asynqmon, at /queues/
	Pages       Source = "pages"     // those of rohrpost itself
	CommandLine Source = "command line"
)

// An Outcome is how far an act has come.
type Outcome string

// The outcomes.
const (
	Begun   Outcome = "begun" // under way, or interrupted
	Done    Outcome = "done"  // Count says for how many
	Refused Outcome = "refused"
)

// A Mail is what a line names a mail by.
type Mail struct {
	Tenant string `json:"tenant,omitempty"`
	ID     string `json:"id"`
}

// A Record is one act.
type Record struct {
	Time    time.Time `json:"time"`
	Who     string    `json:"who"` // user of the pages or of the machine
	Source  Source    `json:"source"`
	Remote  string    `json:"remote,omitempty"` // address that the request came from
	Action  Action    `json:"action"`
	Outcome Outcome   `json:"outcome"`
	Queue   string    `json:"queue,omitempty"`
	Account string    `json:"account,omitempty"` // id of the place that it was about
	Tenant  string    `json:"tenant,omitempty"`  // whose mails it was about, if all were one tenant's
	Mails   []Mail    `json:"mails,omitempty"`   // the first five
	// Of is how many mails it was about, or 0 if that was not known when it began;
	// Count is how many of them it was done to.
	Of    int `json:"of,omitempty"`
	Count int `json:"count,omitempty"`
}

// A Log is safe for concurrent use.
type Log struct {
	rdb redis.UniversalClient
	now func() time.Time
}

// Options of New. Redis is required.
type Options struct {
	Redis redis.UniversalClient
	Now   func() time.Time // nil: time.Now
}

// New makes a log; it does no I/O.
func New(o Options) (*Log, error) {
	if o.Redis == nil {
		return nil, errors.New("audit: no Redis")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Log{rdb: o.Redis, now: o.Now}, nil
}

// An Entry is the line of an act that has begun.
type Entry struct {
	log    *Log
	id     string // in the stream
	record Record
}

// Begin writes that an act begins; Time and Outcome are filled in. With an error
// nothing is written, and the act must not be done.
func (l *Log) Begin(ctx context.Context, r Record) (*Entry, error) {
	r.Time, r.Outcome = l.now().UTC().Truncate(time.Millisecond), Begun
	return l.write(ctx, r)
}

// Refuse writes that an act was asked for and not done.
func (l *Log) Refuse(ctx context.Context, r Record) error {
	r.Time, r.Outcome = l.now().UTC().Truncate(time.Millisecond), Refused
	_, err := l.write(ctx, r)
	return err
}

func (l *Log) write(ctx context.Context, r Record) (*Entry, error) {
	r.Who = r.Who[:min(len(r.Who), maxName)]
	r.Tenant = r.Tenant[:min(len(r.Tenant), maxID)]
	r.Mails = slices.Clone(r.Mails[:min(len(r.Mails), maxMails)])
	for i, m := range r.Mails {
		r.Mails[i] = Mail{Tenant: m.Tenant[:min(len(m.Tenant), maxID)], ID: m.ID[:min(len(m.ID), maxID)]}
	}
	add, err := add(r)
	if err != nil {
		return nil, err
	}
	id, err := l.rdb.XAdd(ctx, add).Result()
	if err != nil {
		return nil, fmt.Errorf("audit: write: %w", err)
	}
	return &Entry{log: l, id: id, record: r}, nil
}

func add(r Record) (*redis.XAddArgs, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return &redis.XAddArgs{Stream: streamKey, MaxLen: MaxLines, Values: []any{field, text}}, nil
}

// Done replaces the line by one that says to how many mails, or other things, the
// act was done. It does not end with ctx: the act has been done. With an error the
// line says Begun for ever.
func (e *Entry) Done(ctx context.Context, count int) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	r := e.record
	r.Outcome, r.Count = Done, count
	add, err := add(r)
	if err != nil {
		return err
	}
	_, err = e.log.rdb.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.XDel(ctx, streamKey, e.id)
		tx.XAdd(ctx, add)
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: write the outcome: %w", err)
	}
	return nil
}

// Latest are the latest acts, oldest first, at most limit.
func (l *Log) Latest(ctx context.Context, limit int) ([]Record, error) {
	lines, err := l.rdb.XRevRangeN(ctx, streamKey, "+", "-", int64(limit)).Result()
	if err != nil {
		return nil, fmt.Errorf("audit: read: %w", err)
	}
	records := make([]Record, 0, len(lines))
	for _, line := range slices.Backward(lines) {
		r, err := parse(line)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	// A long act may end after a short one that began later.
	slices.SortStableFunc(records, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return records, nil
}

func parse(line redis.XMessage) (Record, error) {
	text, _ := line.Values[field].(string)
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("audit: line %s of %s is not one of rohrpost's: %w", line.ID, streamKey, err)
	}
	return r, nil
}
