package mails

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer"
)

// ErrNotFound says that the tenant has no mail of this id (any more).
var ErrNotFound = producer.ErrNotFound

// ErrorLog is what is read of the error log; *errorlog.Log does it.
type ErrorLog interface {
	Query(context.Context, errorlog.Filter) iter.Seq2[errorlog.Entry, error]
}

// Blocks says which accounts and servers take no mails; *breaker.Breaker does it.
type Blocks interface {
	Refresh(ctx context.Context, subjects ...string) error
	States() []*breaker.State
}

// Subjects opens subjects that are sealed; *envelope.Opener does it.
type Subjects interface {
	Line(line string, mail payload.Key) (string, error)
}

// Options of New. All but Subjects, Budget and Now are required.
type Options struct {
	Ledger   *ledger.Ledger
	Index    *mailindex.Index
	Producer *producer.Client // the operator's: not bound to a tenant
	Errors   ErrorLog
	Blocks   Blocks
	Audit    *audit.Log
	Subjects Subjects // nil: a sealed subject is not shown
	// Budget is how long List looks for mails, so that no filter keeps a page waiting;
	// 0: a second. Count and Bulk look ten times as long.
	Budget time.Duration
	Now    func() time.Time // nil: time.Now
}

// A Service is safe for concurrent use.
type Service struct {
	ledger   *ledger.Ledger
	index    *mailindex.Index
	producer *producer.Client
	errors   ErrorLog
	blocks   Blocks
	audit    *audit.Log
	subjects Subjects
	budget   time.Duration
	now      func() time.Time
}

// New makes a service; it does no I/O.
func New(o Options) (*Service, error) {
	if o.Ledger == nil || o.Index == nil || o.Producer == nil || o.Errors == nil || o.Blocks == nil || o.Audit == nil {
		return nil, errors.New("mails: ledger, index, producer, error log, blocks and audit are required")
	}
	s := &Service{
		ledger: o.Ledger, index: o.Index, producer: o.Producer, errors: o.Errors, blocks: o.Blocks, audit: o.Audit,
		subjects: o.Subjects, budget: cmp.Or(o.Budget, time.Second), now: o.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}
