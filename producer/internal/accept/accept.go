// Package accept decides whether a message becomes a job, for the client and
// for the recorder of producertest alike: it validates, measures, and fixes id,
// Message-ID and time.
package accept

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// DefaultMaxSize is 25 MiB, the limit of most providers.
const DefaultMaxSize = 25 << 20

// DefaultAhead is how far ahead a mail may be put off, and may expire: 90 days.
const DefaultAhead = 90 * 24 * time.Hour

// Options of New. The zero value is the default.
type Options struct {
	MaxSize   int64         // the most bytes of a mail as sent; 0: DefaultMaxSize
	Domain    string        // of every Message-ID; empty: that of the sender, once a worker knows it
	NotBefore time.Duration // how far ahead not_before may be; 0: DefaultAhead, negative: any time
	Expires   time.Duration // how far ahead expires may be; 0: DefaultAhead, negative: any time
	// RequireUnsubscribe refuses what Warning warns of.
	RequireUnsubscribe bool
}

// Rules are what a client accepts beyond Message.Validate.
type Rules struct {
	maxSize int64
	domain  string
	times   []limit
	strict  bool // about unsubscribing
	bound   bool // to tenant
	tenant  string
}

// A limit is how far ahead a time may be.
type limit struct {
	field, setting string
	ahead          time.Duration // negative: any
}

// New makes the rules.
func New(o Options) (Rules, error) {
	if o.MaxSize < 0 {
		return Rules{}, errors.New("negative MaxSize")
	}
	if o.Domain != "" && (!isDomain(o.Domain) || !strings.Contains(o.Domain, ".")) {
		return Rules{}, fmt.Errorf("MessageIDDomain %q is no domain name of ASCII letters with a dot", o.Domain)
	}
	return Rules{
		maxSize: cmp.Or(o.MaxSize, DefaultMaxSize), domain: strings.ToLower(o.Domain),
		strict: o.RequireUnsubscribe,
		times: []limit{
			{"not_before", "limits.not_before_max", cmp.Or(o.NotBefore, DefaultAhead)},
			{"expires", "limits.expires_max", cmp.Or(o.Expires, DefaultAhead)},
		},
	}, nil
}

// For is the rules of a client that sends for one tenant only; "" is the platform.
func (r Rules) For(tenant string) Rules {
	r.bound, r.tenant = true, tenant
	return r
}

// Sees reports whether a client of these rules may know of a tenant's mails.
func (r Rules) Sees(tenant string) bool { return !r.bound || r.tenant == tenant }

// Bound reports whether a client sends for one tenant only: for Tenant.
func (r Rules) Bound() bool { return r.bound }

// Tenant is that of a bound client.
func (r Rules) Tenant() string { return r.tenant }

// isDomain reports whether s is a dot-atom: the right side of a Message-ID (RFC
// 5322 §3.6.4) that needs no quoting and no A-labels.
func isDomain(s string) bool {
	ascii := !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
	return ascii && !strings.HasPrefix(s, "[") && rohrpost.CheckAddress("a@"+s) == nil
}

// Job makes a job of the message, or refuses it with rohrpost.FieldErrors. The
// job shares the slices of the message.
func (r Rules) Job(m *rohrpost.Message, now time.Time) (*payload.Job, error) {
	own := *m
	if r.bound {
		own.Tenant = cmp.Or(m.Tenant, r.tenant)
	}
	var problems rohrpost.FieldErrors
	if err := own.Validate(now); err != nil && !errors.As(err, &problems) {
		return nil, err
	}
	if !r.Sees(own.Tenant) {
		problems = append(problems, &rohrpost.FieldError{Field: "tenant", Problem: "this client sends for " + named(r.tenant) + " only"})
	}
	ownMessageID := ""
	if len(own.Raw) > 0 && len(problems) == 0 {
		var problem *rohrpost.FieldError
		if ownMessageID, problem = readRaw(&own); problem != nil {
			problems = append(problems, problem)
		}
	}
	if r.strict && lacksUnsubscribe(&own) {
		problems = append(problems, &rohrpost.FieldError{Field: "unsubscribe", Problem: "missing in a mail of many: messages.require_unsubscribe wants it"})
	}
	if problem := r.checkSize(m); problem != nil {
		problems = append(problems, problem)
	}
	for i, at := range [...]time.Time{m.NotBefore, m.Expires} {
		if problem := r.times[i].check(at, now); problem != nil {
			problems = append(problems, problem)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	own.Headers = append(slices.Clip(own.Headers), own.Unsubscribe.Fields()...)
	own.Unsubscribe = nil
	job := &payload.Job{Message: own, EnqueuedAt: now.UTC().Truncate(time.Millisecond)}
	job.ID = cmp.Or(m.ID, NewID())
	left := leftSide(job.ID)
	if m.ID != "" {
		left += tenantMark(job.Tenant) + timeMark(job.EnqueuedAt)
	}
	job.MessageID = payload.PendingMessageID(left)
	switch {
	case ownMessageID != "":
		job.MessageID = ownMessageID
	case r.domain != "":
		job.MessageID = payload.Decide(job.MessageID, r.domain)
	}
	return job, nil
}

// named is a tenant in a sentence.
func named(tenant string) string {
	if tenant == "" {
		return "the platform"
	}
	return fmt.Sprintf("tenant %q", tenant)
}

// NewID is 26 letters and digits, 128 random bits, without dashes: asynqmon cuts
// ids at the first one.
func NewID() string { return strings.ToLower(rand.Text()) }

// maxLeft is the longest id that a Message-ID repeats: with the mark of a tenant the left
// side stays below the 64 octets of a local part (RFC 5321 §4.5.3.1.1), which some
// programs hold it for.
const maxLeft = 50

// leftSide is the id if that is a short dot-atom (RFC 5322 §3.6.4), else its digest.
func leftSide(id string) string {
	if len(id) > maxLeft || strings.Contains(id, "..") || strings.HasSuffix(id, ".") || strings.ContainsAny(id, ":@") {
		sum := sha256.Sum256([]byte(id))
		return hex.EncodeToString(sum[:16])
	}
	return id
}

// tenantMark keeps the Message-IDs apart of tenants who have chosen the same id.
func tenantMark(tenant string) string {
	if tenant == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(tenant))
	return "." + hex.EncodeToString(sum[:5])
}

// timeMark keeps the Message-IDs apart of mails that have the same id, long after one
// another.
func timeMark(at time.Time) string { return "." + strconv.FormatInt(at.UnixMilli(), 36) }

// check refuses a time that is too far ahead.
func (l limit) check(at, now time.Time) *rohrpost.FieldError {
	if l.ahead < 0 || !at.After(now.Add(l.ahead)) {
		return nil
	}
	return &rohrpost.FieldError{Field: l.field, Problem: fmt.Sprintf("is more than %v ahead, the most that %s allows", l.ahead, l.setting)}
}

// Taken is the refusal of a platform's id that an older version has used for a tenant.
func Taken() error {
	return rohrpost.FieldErrors{{Field: "id", Problem: "belongs to a tenant's mail that an older version has enqueued"}}
}

// Summary is the error of a batch of n messages in one line: how many were not
// accepted, and why the first of them was not. It is nil if all were.
func Summary(n int, verdict func(int) error) error {
	refused, index := 0, 0
	for i := n - 1; i >= 0; i-- {
		if verdict(i) != nil {
			refused, index = refused+1, i
		}
	}
	if refused == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d messages were not accepted; message %d: %w", refused, n, index, verdict(index))
}

// Later is a time to which a mail is put off, in whole seconds, rounded up: asynq
// knows no others. It refuses with rohrpost.FieldErrors. An expiry that has passed is
// that of a mail which a person has sent on its way after that.
func (r Rules) Later(at, now, expires time.Time) (time.Time, error) {
	at = at.UTC().Add(time.Second - 1).Truncate(time.Second)
	var problem string
	tooFar := r.times[0].check(at.Add(1-time.Second), now) // rounded up or not
	switch {
	case !at.After(now):
		problem = "is in the past"
	case at.Year() > 9999:
		problem = "is after the year 9999"
	case expires.After(now) && !at.Before(expires):
		problem = "is not before expires, " + expires.Format(time.RFC3339)
	case tooFar != nil:
		return at, rohrpost.FieldErrors{tooFar}
	default:
		return at, nil
	}
	return at, rohrpost.FieldErrors{{Field: "not_before", Problem: problem}}
}
