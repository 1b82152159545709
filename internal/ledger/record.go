package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Record is the ledger's page of one job.
type Record struct {
	rohrpost.Status
	Key      payload.Key
	Revision int   // to be given to Arm
	Sending  *Note // an attempt that was armed and has not settled
	// Due is when the job is, or was, due, and from when its age counts; zero: the
	// job's own Due.
	Due time.Time
	// Weight is the bytes that the job counts while it waits; 0: it is not counted.
	Weight int64
	// User is the id of the person who caused the mail; empty: nobody, or an older
	// version has opened the record.
	User string
	// Subject is what the sender keeps of it; empty: nothing. It may be sealed.
	Subject string
}

// Mail is what the index of mails takes of the job.
func (r *Record) Mail() mailindex.Mail {
	m := mailindex.Mail{Tenant: r.Tenant, ID: r.ID, User: r.User, EnqueuedAt: r.EnqueuedAt}
	for _, s := range r.Recipients {
		m.Recipients = append(m.Recipients, s.Address)
	}
	return m
}

// Ends is when the record of a job ends that gets into a state now, and whose age counts
// from due. One that is held as uncertain stays for a person who may be away.
func (l *Ledger) Ends(job *payload.Job, due time.Time, state rohrpost.State) time.Time {
	kept, horizon := l.now().Add(l.keep), l.HorizonFrom(job, due)
	if state.Final() && (state != rohrpost.Uncertain || kept.After(horizon)) {
		return kept
	}
	return horizon
}

// Counted reports whether the job counts as waiting for its tenant: it has not ended, or
// it is held as uncertain.
func (r *Record) Counted() bool {
	return r.Weight > 0 && (!r.State.Final() || r.State == rohrpost.Uncertain)
}

// A Note says that some recipients were about to get the mail.
type Note struct {
	Token      string
	At         time.Time
	Recipients []int
}

// Deadline is when trying ends: at the job's Expires, unless a person sent it on its
// way after that, else giveUp after it was due. The record may be nil.
func (r *Record) Deadline(job *payload.Job, giveUp time.Duration) time.Time {
	switch {
	case r != nil && !r.Due.IsZero() && !job.Expires.After(r.Due):
		return r.Due.Add(giveUp)
	case !job.Expires.IsZero():
		return job.Expires
	}
	return job.Due().Add(giveUp)
}

// Waits is how long the job must still wait because somebody put it off; 0: no more.
func (r *Record) Waits(now time.Time) time.Duration {
	if r == nil || r.State != rohrpost.Scheduled {
		return 0
	}
	return max(0, r.Due.Sub(now))
}

// Reopened reports whether the last that is known of the job is that a person has
// sent it on its way again.
func (r *Record) Reopened() bool {
	n := len(r.History)
	return r.State == rohrpost.Queued && n > 0 && r.History[n-1].By == rohrpost.ByOperator
}

// Load reads a record; ErrUnknown if there is none.
func (l *Ledger) Load(ctx context.Context, key payload.Key) (*Record, error) {
	fields, err := l.rdb.HGetAll(ctx, RecordKey(key)).Result()
	if err != nil {
		return nil, fmt.Errorf("ledger: load: %w", err)
	}
	if len(fields) == 0 {
		return nil, ErrUnknown
	}
	return parseRecord(key, fields), nil
}

// LoadAll reads many records in one round trip, in the order of the keys; nil stands
// for one that is not there.
func (l *Ledger) LoadAll(ctx context.Context, keys []payload.Key) ([]*Record, error) {
	pipe := l.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, len(keys))
	for i, key := range keys {
		cmds[i] = pipe.HGetAll(ctx, RecordKey(key))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("ledger: load: %w", err)
	}
	records := make([]*Record, len(keys))
	for i, c := range cmds {
		if fields := c.Val(); len(fields) > 0 {
			records[i] = parseRecord(keys[i], fields)
		}
	}
	return records, nil
}

// States are those of many jobs, in one round trip, in the order of the keys; empty
// stands for one that has no record.
func (l *Ledger) States(ctx context.Context, keys []payload.Key) ([]rohrpost.State, error) {
	pipe := l.rdb.Pipeline()
	cmds := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		cmds[i] = pipe.HGet(ctx, RecordKey(key), fieldState)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("ledger: states: %w", err)
	}
	states := make([]rohrpost.State, len(keys))
	for i, c := range cmds {
		states[i] = rohrpost.State(c.Val())
	}
	return states, nil
}

// parseRecord is lenient: a field that does not parse reads as its zero value.
func parseRecord(key payload.Key, f map[string]string) *Record {
	id := key.ID()
	r := &Record{Key: key, Revision: atoi(f[fieldRevision]), Due: parseMilli(f[fieldDue])}
	r.Status = rohrpost.Status{
		ID:         id,
		MessageID:  payload.KnownMessageID(longMessageID(id, f[fieldMessageID])),
		Tenant:     f[fieldTenant],
		Queue:      f[fieldQueue],
		State:      rohrpost.State(f[fieldState]),
		Attempts:   atoi(f[fieldAttempts]),
		EnqueuedAt: parseMilli(f[fieldEnqueued]),
		UpdatedAt:  parseMilli(f[fieldUpdated]),
		Account:    f[fieldAccount],
		Level:      f[fieldLevel],
		Why:        f[fieldWhy],
		MaybeTwice: f[fieldTwice] == "1",
	}
	if next := parseMilli(f[fieldNext]); !next.IsZero() {
		r.NextAttempt = &next
	} else if due := r.Due; r.State == rohrpost.Scheduled && !due.IsZero() {
		r.NextAttempt = &due
	}
	if md := f[fieldMetadata]; md != "" {
		_ = json.Unmarshal([]byte(md), &r.Metadata)
	}
	if to := f[fieldRecipients]; to != "" {
		for i, address := range strings.Split(to, "\n") {
			s := decodeVerdict(f[prefixRecipient+strconv.Itoa(i)])
			s.Address = address
			r.Recipients = append(r.Recipients, s)
		}
	}
	r.Weight = parseInt(f[fieldWeight])
	r.User, r.Subject = f[fieldUser], f[fieldSubject]
	r.Sending = parseNote(f[fieldSending], len(r.Recipients))
	r.History = history(f)
	if len(r.History) == 0 && r.Attempts > 0 && r.Sending == nil {
		r.History = []rohrpost.Event{r.onlyEvent()}
	}
	return r
}

// parseNote drops indexes that are not of one of so many recipients.
func parseNote(s string, recipients int) *Note {
	parts := strings.SplitN(s, " ", 3)
	if len(parts) != 3 {
		return nil
	}
	n := &Note{Token: parts[0], At: parseMilli(parts[1])}
	for i := range strings.SplitSeq(parts[2], ",") {
		if index, err := strconv.Atoi(i); err == nil && index >= 0 && index < recipients {
			n.Recipients = append(n.Recipients, index)
		}
	}
	return n
}

// joinLines writes addresses one a line, whatever is in them.
func joinLines(addresses []string) string {
	if len(addresses) == 1 {
		return strings.ReplaceAll(addresses[0], "\n", " ")
	}
	lines := make([]string, len(addresses))
	for i, a := range addresses {
		lines[i] = strings.ReplaceAll(a, "\n", " ")
	}
	return strings.Join(lines, "\n")
}

// shortMessageID leaves out what a Message-ID repeats of the job's id: "@domain>" or,
// of an id that a tenant chose, ".digest@domain>" is left.
func shortMessageID(id, messageID string) string {
	if rest, ok := strings.CutPrefix(messageID, "<"+id); ok && isShort(rest) {
		return rest
	}
	return messageID
}

// longMessageID undoes shortMessageID.
func longMessageID(id, short string) string {
	if isShort(short) {
		return "<" + id + short
	}
	return short
}

func isShort(messageID string) bool {
	return strings.HasPrefix(messageID, "@") || strings.HasPrefix(messageID, ".")
}

// encodeVerdict is "state|code|enhanced|diagnostic"; only the last part may
// hold a bar.
func encodeVerdict(s rohrpost.RecipientStatus) string {
	code := ""
	if s.Code != 0 {
		code = strconv.Itoa(s.Code)
	}
	return string(s.State) + "|" + code + "|" + s.Enhanced + "|" + s.Diagnostic
}

func decodeVerdict(s string) rohrpost.RecipientStatus {
	parts := strings.SplitN(s, "|", 4)
	if len(parts) != 4 {
		return rohrpost.RecipientStatus{State: rohrpost.RecipientWaiting}
	}
	return rohrpost.RecipientStatus{
		State: rohrpost.RecipientState(parts[0]), Code: atoi(parts[1]), Enhanced: parts[2], Diagnostic: parts[3],
	}
}

func parseInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func parseMilli(s string) time.Time {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
