package ledger

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// MaxWait is the longest time a job without an Expires of its own may be on its
// way after it was due; records and blobs of such a job are kept beyond it.
const MaxWait = 7 * 24 * time.Hour

// DefaultKeep is how long a record stays after the end of its job.
const DefaultKeep = 48 * time.Hour

// The refusals of the ledger.
var (
	ErrUnknown = errors.New("unknown job")
	ErrStale   = errors.New("the record has changed")
	ErrTaken   = errors.New("another tenant's mail has this id: one of the two is of an older version")
	ErrFinal   = errors.New("the job has ended")
	ErrSending = errors.New("the mail is being handed over at this moment")

	ErrNothingToRetry = errors.New("nobody is left to send it to")
)

// Options of a Ledger.
type Options struct {
	Redis redis.UniversalClient
	Keep  time.Duration    // after the end of a job; 0: DefaultKeep
	Now   func() time.Time // nil: time.Now
	// Waits is told what a tenant has waiting more, or less if it is negative, when a
	// job ends or is reopened. The opening of its record is the sender's to count, and
	// a call whose reply was lost is told never. Nil: nobody counts.
	Waits func(tenant string, mails, bytes int64)
}

// A Ledger is safe for concurrent use.
type Ledger struct {
	rdb     redis.UniversalClient
	keep    time.Duration
	now     func() time.Time
	tenants register
	tell    func(tenant string, mails, bytes int64)
}

// New makes a ledger; it does no I/O.
func New(o Options) (*Ledger, error) {
	if o.Redis == nil {
		return nil, errors.New("ledger: no redis client")
	}
	if o.Keep < 0 {
		return nil, errors.New("ledger: negative keep")
	}
	l := &Ledger{rdb: o.Redis, keep: cmp.Or(o.Keep, DefaultKeep), now: o.Now, tell: o.Waits}
	if l.now == nil {
		l.now = time.Now
	}
	if l.tell == nil {
		l.tell = func(string, int64, int64) {}
	}
	return l, nil
}

//go:embed record.lua
var recordSource string

//go:embed reserve.lua
var reserveSource string

//go:embed arm.lua
var armSource string

//go:embed settle.lua
var settleSource string

//go:embed withdraw.lua
var withdrawSource string

var (
	withdrawScript = redis.NewScript(withdrawSource)

	reserveScript = redis.NewScript(reserveSource)
	armScript     = redis.NewScript(recordSource + armSource)
	settleScript  = redis.NewScript(recordSource + settleSource)
)

// Horizon is when everything about an unfinished job may be forgotten.
func (l *Ledger) Horizon(job *payload.Job) time.Time { return l.HorizonFrom(job, job.Due()) }

// HorizonFrom is the Horizon of a job whose age counts from another time.
func (l *Ledger) HorizonFrom(job *payload.Job, due time.Time) time.Time {
	end := job.Expires
	if !end.After(due) {
		end = due.Add(MaxWait)
	}
	return end.Add(l.keep)
}

// Canceled is when the record of a job ends that is canceled now.
func (l *Ledger) Canceled() time.Time { return l.now().Add(l.keep) }

// reserveAnswer is how many things Reserve is told of a record that stands.
const reserveAnswer = 5

// A Reservation is the answer to Reserve, to be read after the batch ran.
type Reservation struct {
	job     *payload.Job
	nonce   string
	call    *lua.Call
	tenants *register
	now     time.Time
}

// An Opening is what a record begins with beside its job.
type Opening struct {
	// Nonce is unique to this Send: by it the sender knows its own record when Redis ran
	// the script twice because a reply was lost. The job's id will do if it was made for
	// this Send.
	Nonce    string
	Metadata string // JSON, or empty
	Weight   int64  // the bytes that the job counts while it waits
	Subject  string // if the record keeps it; it may be sealed
	Content  string // by which the sender knows the content again; empty: not at all
}

// Reserve appends the opening of a job's record to a batch.
//
// A tenant's id that was chosen may have been used before payload 2, when its record
// had the id alone for its key: that record stands for the new one.
func (l *Ledger) Reserve(b *lua.Batch, job *payload.Job, o Opening) Reservation {
	nonce := o.Nonce
	if nonce == job.ID {
		nonce = "" // as unique, and shorter
	}
	args := append([]any{l.Horizon(job).UnixMilli(), job.EnqueuedAt.UnixMilli()}, identity(job)...)
	args = append(args, fieldNonce, nonce, fieldWeight, o.Weight)
	if job.NotBefore.After(job.EnqueuedAt) {
		args = append(args, fieldState, string(rohrpost.Scheduled), fieldDue, job.NotBefore.UnixMilli())
	} else {
		args = append(args, fieldState, string(rohrpost.Queued))
	}
	for _, f := range [...][2]string{{fieldMetadata, o.Metadata}, {fieldUser, job.User.ID}, {fieldSubject, o.Subject}, {fieldContent, o.Content}} {
		if f[1] != "" {
			args = append(args, f[0], f[1])
		}
	}
	keys := []string{RecordKey(job.Key())}
	if nonce != "" && !job.Key().Bare() {
		keys = append(keys, RecordKey(payload.KeyOf("", job.ID)))
	}
	r := Reservation{job: job, nonce: nonce, call: b.Call(reserveScript, keys, args...), tenants: &l.tenants, now: l.now()}
	if l.tenants.due(job.Tenant, r.now) {
		b.Do("SADD", tenantsKey, job.Tenant)
	}
	return r
}

// Withdraw appends to a batch that the record is taken back: Redis has refused the
// task, so that nothing will come of it. One that somebody works with stays.
func (r Reservation) Withdraw(b *lua.Batch) {
	b.Call(withdrawScript, []string{RecordKey(r.job.Key())}, r.nonce)
}

// identity is what any record says of its job: also one that a worker must write
// because it was faster than the producer, or because the record was lost.
func identity(job *payload.Job) []any {
	return []any{
		fieldTenant, job.Tenant, fieldMessageID, shortMessageID(job.ID, job.MessageID),
		fieldQueue, string(cmp.Or(job.Priority, rohrpost.Default)),
		fieldEnqueued, job.EnqueuedAt.UnixMilli(), fieldRecipients, joinLines(job.Recipients()),
	}
}

// Receipt is the receipt of the first Send of this id, whose MessageID becomes the job's.
// If its record is that of an older version, the job is Bare from then on. It fails with ErrTaken when an older
// version used a platform's id for a tenant.
func (r Reservation) Receipt() (rohrpost.Receipt, error) {
	val, err := r.call.Result()
	if err != nil {
		return rohrpost.Receipt{}, err
	}
	if val == int64(0) {
		r.tenants.note(r.job.Tenant, r.now)
		return rohrpost.Receipt{ID: r.job.ID, MessageID: payload.KnownMessageID(r.job.MessageID)}, nil
	}
	fields, ok := val.([]any)
	if !ok || len(fields) != reserveAnswer {
		return rohrpost.Receipt{}, fmt.Errorf("ledger: reserve answered %T", val)
	}
	tenant, _ := fields[0].(string)
	messageID, _ := fields[1].(string)
	nonce, _ := fields[2].(string)
	if tenant != r.job.Tenant {
		return rohrpost.Receipt{}, ErrTaken
	}
	r.tenants.note(tenant, r.now)
	r.job.Bare = r.job.Bare || fields[4] == int64(2)
	r.job.MessageID = longMessageID(r.job.ID, messageID)
	return rohrpost.Receipt{
		ID:        r.job.ID,
		MessageID: payload.KnownMessageID(r.job.MessageID),
		Duplicate: nonce != r.nonce,
	}, nil
}

// Content is the Opening's of the first Send of this id; empty: it had none, or this is
// the first one, or an older version has opened the record.
func (r Reservation) Content() string {
	val, _ := r.call.Result()
	fields, _ := val.([]any)
	if len(fields) != reserveAnswer {
		return ""
	}
	content, _ := fields[3].(string)
	return content
}

// Arm notes, as the last thing before the final dot, that the accepted
// recipients are about to get the mail, and under which MessageID of the job. revision is that of the record the
// worker read, 0 if it read none. token is unique to the attempt and holds no
// space. ErrStale: read the record (again) and decide anew. After any other error
// nobody knows whether the note is there: settle without having sent.
func (l *Ledger) Arm(ctx context.Context, job *payload.Job, revision int, token string, accepted []int) error {
	var list strings.Builder
	for i, r := range accepted {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.Itoa(r))
	}
	args := append([]any{
		token, revision, l.now().UnixMilli(), list.String(), l.Horizon(job).UnixMilli(), job.Tenant, shortMessageID(job.ID, job.MessageID),
	}, identity(job)...)
	return l.run(ctx, "arm", armScript, job.Tenant, job.Key(), args)
}

// run runs a script that answers with one word, and the weight of a job that ended
// with it.
func (l *Ledger) run(ctx context.Context, what string, script *redis.Script, tenant string, key payload.Key, args []any) error {
	answer, err := script.Run(ctx, l.rdb, []string{RecordKey(key)}, args...).Text()
	answer, weight, ended := strings.Cut(answer, " ")
	if ended {
		l.tell(tenant, -1, -parseInt(weight))
	}
	switch {
	case err != nil:
		return fmt.Errorf("ledger: %s: %w", what, err)
	case answer == "ok":
		return nil
	case answer == "taken":
		return ErrTaken
	case answer == "stale":
		return ErrStale
	}
	return fmt.Errorf("ledger: %s answered %q", what, answer)
}

// A Settlement is what an attempt has come to.
type Settlement struct {
	Token    string // of the attempt, or of the note that is put in doubt
	Revision int    // of the record the attempt read, 0 if it read none, as for Arm
	State    rohrpost.State
	Counts   bool                             // one more attempt; false for a deferral that is nobody's fault
	Verdicts map[int]rohrpost.RecipientStatus // by recipient index; Address is not read
	Next     time.Time                        // zero: none
	Twice    bool                             // recipients are tried again who may have the mail
	Account  string
	Level    string
	Why      string
	// Event is what the history says of it; nil: nothing. State, Next and the
	// account are those of the settlement: of the event itself only Attempt, Host and
	// the failure are read. A mail that is accepted at its first attempt needs none.
	Event *rohrpost.Event
}

// Settle writes the verdicts and the state that follows from them. It is
// idempotent, and must be repeated until it answers once a server has said 250.
//
// ErrStale: the record is not the one that the attempt read, or another attempt
// is armed, or the note that was to be doubted has been settled. Then the state
// is not written. Recipients that were accepted are, and those of the attempt's
// own note: read the record and draw the state from it. ErrTaken: the
// record is another tenant's, of an older version.
func (l *Ledger) Settle(ctx context.Context, job *payload.Job, s Settlement) error {
	now := l.now()
	ends := l.Ends(job, job.Due(), s.State)
	counts := 0
	if s.Counts {
		counts = 1
	}
	lost := identity(job)
	args := make([]any, 0, 33+2*len(s.Verdicts))
	args = append(args, s.Token, s.Revision, ends.UnixMilli(), counts, job.Tenant, len(lost), 2*len(s.Verdicts), s.event(now))
	args = append(args, lost...)
	for i, v := range s.Verdicts {
		args = append(args, prefixRecipient+strconv.Itoa(i), encodeVerdict(v))
	}
	args = append(args, fieldState, string(s.State), fieldUpdated, now.UnixMilli())
	if !s.Next.IsZero() {
		args = append(args, fieldNext, s.Next.UnixMilli())
	}
	if s.Account != "" {
		args = append(args, fieldAccount, s.Account, fieldLevel, s.Level, fieldWhy, s.Why)
	}
	if s.Twice {
		args = append(args, fieldTwice, "1")
	}
	return l.run(ctx, "settle", settleScript, job.Tenant, job.Key(), args)
}

// event is the entry of the history, or empty.
func (s *Settlement) event(now time.Time) string {
	if s.Event == nil {
		return ""
	}
	e := *s.Event
	e.Time, e.State, e.NextAttempt = now, s.State, s.Next
	e.Account, e.Level, e.Why = s.Account, s.Level, s.Why
	return encodeEvent(e)
}
