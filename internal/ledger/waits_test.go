package ledger_test

import (
	"errors"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// told is a book whose ledger says what waits.
func told(t *testing.T) (*book, func() [2]int64) {
	t.Helper()
	b := open(t)
	var sum [2]int64
	l, err := ledger.New(ledger.Options{Redis: b.rdb, Waits: func(tenant string, mails, bytes int64) {
		if tenant != "acme" {
			t.Errorf("of tenant %q", tenant)
		}
		sum[0], sum[1] = sum[0]+mails, sum[1]+bytes
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.Ledger = l
	return b, func() [2]int64 { return sum }
}

// A job waits from its reservation on until it has ended, and while it is uncertain.
// reserve says that it has 100 bytes.
func TestWaits(t *testing.T) {
	t.Parallel()
	settle := func(b *book, j *payload.Job, token string, revision int, s rohrpost.State, v rohrpost.RecipientState) {
		_ = b.settle(j, ledger.Settlement{Token: token, Revision: revision, State: s, Verdicts: verdicts(v)})
	}
	cancel := func(b *book, j *payload.Job) { _, _ = b.Cancel(b.tb.Context(), j.Key()) }
	reopen := func(b *book, j *payload.Job) { _ = b.Reopen(b.tb.Context(), j) }
	over, held, again := [2]int64{-1, -100}, [2]int64{}, [2]int64{}
	tests := []struct {
		name string
		act  func(*book, *payload.Job)
		want [2]int64
	}{
		{"accepted", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Accepted, accepted) }, over},
		{"partly", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Partly, accepted) }, over},
		{"failed", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Failed, failed) }, over},
		{"expired", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Expired, failed) }, over},
		{"deferred", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Deferred, deferred) }, held},
		{"armed", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T", 0) }, held},
		{"uncertain", func(b *book, j *payload.Job) { settle(b, j, "T", 0, rohrpost.Uncertain, uncertain) }, held},
		{"stale", func(b *book, j *payload.Job) {
			settle(b, j, "T", 0, rohrpost.Deferred, deferred)
			settle(b, j, "U", 0, rohrpost.Failed, failed)
		}, held},
		{"canceled", cancel, over},
		{"canceled twice", func(b *book, j *payload.Job) { cancel(b, j); cancel(b, j) }, over},
		{"given up while uncertain", func(b *book, j *payload.Job) {
			settle(b, j, "T", 0, rohrpost.Uncertain, uncertain)
			cancel(b, j)
		}, over},
		{"late verdicts", func(b *book, j *payload.Job) {
			b.mustArm(j, 0, "T", 0)
			settle(b, j, "T", 0, rohrpost.Uncertain, uncertain)
			settle(b, j, "T", 0, rohrpost.Accepted, accepted)
		}, over},
		{"reopened", func(b *book, j *payload.Job) {
			settle(b, j, "T", 0, rohrpost.Failed, failed)
			reopen(b, j)
			reopen(b, j)
		}, again},
		{"reopened while uncertain", func(b *book, j *payload.Job) {
			settle(b, j, "T", 0, rohrpost.Uncertain, uncertain)
			reopen(b, j)
		}, held},
		{"reopened and ended", func(b *book, j *payload.Job) {
			settle(b, j, "T", 0, rohrpost.Failed, failed)
			reopen(b, j)
			settle(b, j, "U", 2, rohrpost.Accepted, accepted)
		}, over},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, sum := told(t)
			j := b.reserved("a", 1)
			tt.act(b, j)
			if got := sum(); got != tt.want {
				t.Errorf("%v mails and bytes more wait, want %v", got, tt.want)
			}
			if r := b.load("a"); r.Weight != 100 || r.Counted() != (tt.want != over) {
				t.Errorf("weight %d, counted %v: %s", r.Weight, r.Counted(), r.State)
			}
		})
	}
}

// go-redis repeats a script whose reply was lost: the second answer tells what the
// first one would have.
func TestWaitsAfterALostReply(t *testing.T) {
	t.Parallel()
	b, sum := told(t)
	j := b.reserved("a", 1)
	s := ledger.Settlement{Token: "T", State: rohrpost.Accepted, Verdicts: verdicts(accepted)}
	deaf, err := ledger.New(ledger.Options{Redis: b.rdb})
	if err != nil {
		t.Fatal(err)
	}
	if err := deaf.Settle(t.Context(), j, s); err != nil {
		t.Fatal(err)
	}
	b.mustSettle(j, s)
	if got, want := sum(), [2]int64{-1, -100}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(*book, *payload.Job)
		nonce  string
		gone   bool
	}{
		{"its own", nil, "nonce", true},
		{"another Send's", nil, "other", false},
		{"a worker has it", func(b *book, j *payload.Job) { b.mustArm(j, 0, "T", 0) }, "nonce", false},
		{"a worker has had it", deferredOnce, "nonce", false},
		{"canceled", cancel, "nonce", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			j := b.reserved("a", 1)
			if tt.before != nil {
				tt.before(b, j)
			}
			var batch lua.Batch
			b.Reserve(&lua.Batch{}, j, ledger.Opening{Nonce: tt.nonce}).Withdraw(&batch)
			if err := batch.Exec(t.Context(), b.rdb); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Load(t.Context(), j.Key()); errors.Is(err, ledger.ErrUnknown) != tt.gone {
				t.Errorf("%v, want gone %v", err, tt.gone)
			}
		})
	}
}

// When the memory of Redis is full, a mail that a worker has in hand is armed and
// settled all the same: that it ends is what frees memory.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	b := open(t)
	j, lost := b.reserved("a", 1), b.job("b", 1)
	for _, token := range []string{"T", "U"} { // loads the scripts
		b.mustArm(b.reserved(token, 1), 0, token, 0)
		_ = b.settle(b.job(token, 1), ledger.Settlement{Token: token, State: rohrpost.Accepted, Verdicts: verdicts(accepted)})
	}
	b.rdb.ConfigSet(t.Context(), "maxmemory", "1mb")
	if err := b.rdb.Set(t.Context(), "x", "x", 0).Err(); err == nil {
		t.Fatal("the memory of Redis is not full")
	}
	for _, job := range []*payload.Job{j, lost} {
		b.mustArm(job, 0, "T", 0)
		b.mustSettle(job, ledger.Settlement{Token: "T", State: rohrpost.Accepted, Verdicts: verdicts(accepted)})
		if r := b.load(job.ID); r.State != rohrpost.Accepted {
			t.Errorf("%s is %s", job.ID, r.State)
		}
	}
}
