package producer_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// A stage has a client, and what a worker would do to its mails.
type stage struct {
	*producer.Client
	t      *testing.T
	rdb    redis.UniversalClient
	ledger *ledger.Ledger
}

func newStage(t *testing.T, rdb redis.UniversalClient) *stage {
	t.Helper()
	client, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.New(ledger.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	return &stage{Client: client, t: t, rdb: rdb, ledger: l}
}

// sent is a mail to three recipients in the default queue.
func (s *stage) sent(id string) *payload.Job {
	s.t.Helper()
	m := mail()
	m.ID = id
	m.Cc = []rohrpost.Address{{Address: "zwei@example.org"}, {Address: "drei@example.org"}}
	mustSend(s.t, s.Client, m)
	return queued(s.t, s.rdb, "default", id)
}

// place brings the task where asynq would have it: retry, archived, active or gone.
func (s *stage) place(id, state string) {
	s.t.Helper()
	if payload.Key(id).Bare() {
		id = key(id)
	}
	key := func(part string) string { return "asynq:{default}:" + part }
	if _, err := s.rdb.TxPipelined(s.t.Context(), func(p redis.Pipeliner) error {
		p.LRem(s.t.Context(), key("pending"), 0, id)
		switch state {
		case "gone":
			p.Del(s.t.Context(), key("t:"+id))
			return nil
		case "active":
			p.LPush(s.t.Context(), key("active"), id)
			p.ZAdd(s.t.Context(), key("lease"), redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: id})
		default:
			p.ZAdd(s.t.Context(), key(state), redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: id})
		}
		p.HSet(s.t.Context(), key("t:"+id), "state", state)
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

// settled is a mail after its first attempt, whose task is in that place.
func (s *stage) settled(id string, state rohrpost.State, place string, verdicts ...rohrpost.RecipientState) *payload.Job {
	s.t.Helper()
	job := s.sent(id)
	settlement := ledger.Settlement{
		Token: "T1", State: state, Counts: true, Account: "tenant:acme", Level: "tenant",
		Verdicts: map[int]rohrpost.RecipientStatus{},
		Event:    &rohrpost.Event{Attempt: 1, Category: "mailbox_full", Class: "permanent", Code: 552},
	}
	for i, v := range verdicts {
		settlement.Verdicts[i] = rohrpost.RecipientStatus{State: v, Code: 552}
	}
	if err := s.ledger.Settle(s.t.Context(), job, settlement); err != nil {
		s.t.Fatal(err)
	}
	s.place(id, place)
	return job
}

// record is the job's hash as it stands.
func (s *stage) record(id string) map[string]string {
	return s.rdb.HGetAll(s.t.Context(), record(id)).Val()
}

// pending is how often a task is in the pending list.
func (s *stage) pending(id string) int {
	n := 0
	for _, other := range s.rdb.LRange(s.t.Context(), "asynq:{default}:pending", 0, -1).Val() {
		if other == key(id) {
			n++
		}
	}
	return n
}

const (
	accepted  = rohrpost.RecipientAccepted
	failed    = rohrpost.RecipientFailed
	deferred  = rohrpost.RecipientDeferred
	waiting   = rohrpost.RecipientWaiting
	uncertain = rohrpost.RecipientUncertain
)

func TestRetry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		before func(*stage)
		want   error
		states []rohrpost.RecipientState
	}{
		{"queued", func(s *stage) { s.sent("a") }, nil, []rohrpost.RecipientState{waiting, waiting, waiting}},
		{"scheduled", func(s *stage) {
			s.sent("a")
			if err := s.Reschedule(s.t.Context(), "a", time.Now().Add(time.Hour)); err != nil {
				s.t.Fatal(err)
			}
		}, nil, []rohrpost.RecipientState{waiting, waiting, waiting}},
		{
			"deferred", func(s *stage) { s.settled("a", rohrpost.Deferred, "retry", accepted, deferred, failed) }, nil,
			[]rohrpost.RecipientState{accepted, deferred, failed},
		},
		{
			"parked", func(s *stage) { s.settled("a", rohrpost.Parked, "retry", deferred, deferred, deferred) }, nil,
			[]rohrpost.RecipientState{deferred, deferred, deferred},
		},
		{
			"failed", func(s *stage) { s.settled("a", rohrpost.Failed, "archived", failed, failed, failed) }, nil,
			[]rohrpost.RecipientState{waiting, waiting, waiting},
		},
		{
			"partly failed", func(s *stage) { s.settled("a", rohrpost.Partly, "archived", accepted, failed, accepted) }, nil,
			[]rohrpost.RecipientState{accepted, waiting, accepted},
		},
		{
			"expired", func(s *stage) { s.settled("a", rohrpost.Expired, "archived", failed, failed, failed) }, nil,
			[]rohrpost.RecipientState{waiting, waiting, waiting},
		},
		{
			"held as uncertain", func(s *stage) { s.settled("a", rohrpost.Uncertain, "retry", uncertain, accepted, failed) }, nil,
			[]rohrpost.RecipientState{waiting, accepted, waiting},
		},
		{"set aside in the dashboard", func(s *stage) { s.sent("a"); s.place("a", "archived") }, nil, []rohrpost.RecipientState{waiting, waiting, waiting}},
		{"accepted", func(s *stage) { s.settled("a", rohrpost.Accepted, "gone", accepted, accepted, accepted) }, producer.ErrNothingToRetry, nil},
		{"canceled", func(s *stage) {
			s.sent("a")
			if err := s.Cancel(s.t.Context(), "a"); err != nil {
				s.t.Fatal(err)
			}
		}, producer.ErrNothingToRetry, nil},
		{"failed long ago", func(s *stage) { s.settled("a", rohrpost.Failed, "gone", failed, failed, failed) }, producer.ErrContentGone, nil},
		{"in hand", func(s *stage) { s.sent("a"); s.place("a", "active") }, producer.ErrSending, nil},
		{"just failed, in hand", func(s *stage) { s.settled("a", rohrpost.Failed, "active", failed, failed, failed) }, producer.ErrSending, nil},
		{"sending", func(s *stage) {
			job := s.sent("a")
			if err := s.ledger.Arm(s.t.Context(), job, 0, "T1", []int{0}); err != nil {
				s.t.Fatal(err)
			}
		}, producer.ErrSending, nil},
		{"unknown", func(*stage) {}, producer.ErrNotFound, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, redistest.Start(t).Client(t))
			tt.before(s)
			before, places := s.record("a"), tasks(t, s.rdb)
			err := s.Retry(t.Context(), "a")
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if tt.want != nil {
				if diff := cmp.Diff(before, s.record("a")) + cmp.Diff(places, tasks(t, s.rdb)); diff != "" {
					t.Errorf("it was refused, and something has changed: %s", diff)
				}
				return
			}
			st := status(t, s.Client, "a")
			var got []rohrpost.RecipientState
			for _, r := range st.Recipients {
				got = append(got, r.State)
			}
			if diff := cmp.Diff(tt.states, got); diff != "" || st.State != rohrpost.Queued || st.NextAttempt != nil {
				t.Errorf("%+v %s", st, diff)
			}
			if diff := cmp.Diff([]string{"default/pending/a,acme"}, tasks(t, s.rdb)); diff != "" || s.pending("a") != 1 {
				t.Error(diff)
			}
		})
	}
}

// Whoever died between the ledger and the queue, or did not hear the answer, says it again.
func TestRetryAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	job := s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
	if err := s.ledger.Reopen(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Retry(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if st := status(t, s.Client, "a"); len(st.History) != 2 || st.History[1].By != rohrpost.ByOperator || s.pending("a") != 1 {
			t.Errorf("%+v", st)
		}
	}
}

// TestRetryLosesAReply loses each reply in turn.
func TestRetryLosesAReply(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.TCP())
	s := newStage(t, server.Client(t))
	p := newProxy(t, server.Addr())
	far, err := producer.Open(p.url())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = far.Close() }()
	for pass := range int64(8) {
		id := "id" + string(rune('0'+pass))
		s.settled(id, rohrpost.Failed, "archived", failed, failed, failed)
		p.loseAfter(pass, 1)
		if err := far.Retry(t.Context(), id); err != nil {
			t.Logf("reply %d: %v", pass, err)
			if err := far.Retry(t.Context(), id); err != nil {
				t.Errorf("reply %d, again: %v", pass, err)
			}
		}
		if st := status(t, s.Client, id); st.State != rohrpost.Queued || len(st.History) != 2 || s.pending(id) != 1 {
			t.Errorf("reply %d: %+v", pass, st)
		}
	}
	if p.lost.Load() < 4 {
		t.Errorf("only %d replies were lost", p.lost.Load())
	}
}

func TestRetryRace(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := s.Retry(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if st := status(t, s.Client, "a"); len(st.History) != 2 || s.pending("a") != 1 {
		t.Errorf("%+v, %d times pending", st, s.pending("a"))
	}
}

// vanish deletes a task as soon as its job is reopened, as a full archive would.
type vanish struct {
	s  *stage
	id string
}

func (vanish) DialHook(next redis.DialHook) redis.DialHook { return next }

func (v vanish) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if args := cmd.Args(); strings.HasPrefix(cmd.Name(), "eval") && args[3] == record(v.id) {
			v.s.place(v.id, "gone")
		}
		return err
	}
}

func (vanish) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestRetryWhileTheTaskVanishes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := newStage(t, server.Client(t))
	job := s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
	s.settled("b", rohrpost.Deferred, "retry", deferred, deferred, deferred)
	for id, act := range map[string]func(*producer.Client) error{
		"a": func(c *producer.Client) error { return c.Retry(t.Context(), "a") },
		"b": func(c *producer.Client) error { return c.Reschedule(t.Context(), "b", time.Now().Add(time.Hour)) },
	} {
		rdb := server.Client(t)
		rdb.AddHook(vanish{s, id})
		if err := act(newStage(t, rdb).Client); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if diff := cmp.Diff([]string{"default/pending/a,acme", "default/scheduled/b,acme"}, tasks(t, s.rdb)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(job, queued(t, s.rdb, "default", "a")); diff != "" {
		t.Errorf("the mail has changed: %s", diff)
	}
}

// Attachments live as long as the mail that was retried, and must be there.
func TestRetryWithAttachment(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	m := mail()
	m.ID, m.Expires = "a", time.Now().Add(time.Hour)
	m.Attachments = []rohrpost.Attachment{{Name: "a.pdf", Content: []byte("%PDF")}}
	mustSend(t, s.Client, m)
	archive(t, s.rdb, "default", "a")
	blobs := s.rdb.Keys(t.Context(), "rohrpost:blob:{*}").Val()
	left := func() time.Duration { return s.rdb.PTTL(t.Context(), blobs[0]).Val().Round(time.Minute) }
	if left() != time.Hour+ledger.DefaultKeep {
		t.Fatalf("it ends in %v", left())
	}
	s.rdb.PExpire(t.Context(), blobs[0], time.Minute)
	if err := s.Retry(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if left() != time.Hour+ledger.DefaultKeep {
		t.Errorf("it ends in %v", left())
	}
	if err := s.Cancel(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	m.ID = "b"
	mustSend(t, s.Client, m)
	archive(t, s.rdb, "default", "b")
	s.rdb.Del(t.Context(), blobs...)
	before := s.record("b")
	if err := s.Retry(t.Context(), "b"); !errors.Is(err, producer.ErrContentGone) {
		t.Errorf("without the attachment: %v", err)
	}
	if err := s.Reschedule(t.Context(), "b", time.Now().Add(time.Minute)); !errors.Is(err, producer.ErrContentGone) {
		t.Errorf("without the attachment: %v", err)
	}
	if diff := cmp.Diff(before, s.record("b")); diff != "" {
		t.Error(diff)
	}
}

// The task of another tenant's mail that an older version has enqueued under the same
// id is none of this job.
func TestRetryOfAnotherTenant(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.older("a")
	archiveTask(t, s.rdb, "default", "a")
	s.rdb.HSet(t.Context(), "rohrpost:job:{a}", "t", "other")
	s.rdb.SAdd(t.Context(), "rohrpost:tenants", "other")
	if err := s.Retry(t.Context(), "a"); !errors.Is(err, producer.ErrContentGone) {
		t.Error(err)
	}
	s.rdb.HSet(t.Context(), "rohrpost:job:{a}", "t", "acme")
	s.rdb.HDel(t.Context(), "rohrpost:job:{a}", "q") // a worker wrote the record
	if err := s.Retry(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"default/pending/a"}, tasks(t, s.rdb)); diff != "" {
		t.Error(diff)
	}
}
