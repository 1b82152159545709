package reconcile_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A post is a Redis with mails in it, and what is needed to harm them.
type post struct {
	t      *testing.T
	rdb    redis.UniversalClient
	mail   *producer.Client
	ledger *ledger.Ledger
	later  time.Duration // how long ago the mails were enqueued
}

const settle = 10 * time.Minute

func newPost(t *testing.T, rdb redis.UniversalClient) *post {
	t.Helper()
	p := &post{t: t, rdb: rdb, later: 2 * settle}
	var err error
	now := func() time.Time { return time.Now().Add(-p.later) }
	if p.mail, err = producer.New(rdb, producer.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	if p.ledger, err = ledger.New(ledger.Options{Redis: rdb, Now: now}); err != nil {
		t.Fatal(err)
	}
	return p
}

func single(t *testing.T) *post {
	t.Helper()
	return newPost(t, redistest.Start(t).Client(t))
}

// send enqueues a mail of tenant acme under an id of its own.
func (p *post) send(id string, change ...func(*rohrpost.Message)) {
	p.t.Helper()
	m := rohrpost.Message{
		ID: id, Tenant: "acme", Subject: "Test", Text: "Guten Tag",
		To: []rohrpost.Address{{Address: "a@example.org"}, {Address: "b@example.org"}},
	}
	for _, c := range change {
		c(&m)
	}
	if _, err := p.mail.Send(p.t.Context(), m); err != nil {
		p.t.Fatal(err)
	}
}

func scheduled(m *rohrpost.Message) { m.NotBefore = time.Now().Add(time.Hour) }

func attached(m *rohrpost.Message) {
	m.Attachments = []rohrpost.Attachment{{Name: "a.txt", Content: []byte("attachment of " + m.ID)}}
}

// do runs a command on Redis.
func (p *post) do(args ...any) any {
	p.t.Helper()
	answer, err := p.rdb.Do(p.t.Context(), args...).Result()
	if err != nil {
		p.t.Fatalf("%v: %v", args, err)
	}
	return answer
}

func key(name string) string  { return "asynq:{default}:" + name }
func jobKey(id string) string { return string(payload.KeyOf("acme", id)) }
func task(id string) string   { return key("t:" + jobKey(id)) }
func record(id string) string { return "rohrpost:job:{" + id + "},acme" }

// job is a job as the ledger wants it.
func (p *post) job(id string) *payload.Job {
	j := &payload.Job{MessageID: "<" + id + "@acme.example>", EnqueuedAt: time.Now().Add(-p.later)}
	j.ID, j.Tenant, j.To = id, "acme", []rohrpost.Address{{Address: "a@example.org"}, {Address: "b@example.org"}}
	return j
}

// settles writes the state of a mail into the ledger.
func (p *post) settles(id string, state rohrpost.State, account string) {
	p.t.Helper()
	s := ledger.Settlement{Token: "test", State: state, Counts: true, Account: account}
	if err := p.ledger.Settle(p.t.Context(), p.job(id), s); err != nil {
		p.t.Fatal(err)
	}
}

// move brings the task of a mail from pending to one of asynq's sorted sets.
func (p *post) move(id, set string, at time.Time) {
	p.t.Helper()
	p.do("LREM", key("pending"), 0, jobKey(id))
	p.do("ZADD", key(set), at.Unix(), jobKey(id))
	p.do("HSET", task(id), "state", set)
	p.do("HDEL", task(id), "pending_since")
}

// take makes the task of a mail active.
func (p *post) take(id string, lease time.Time) {
	p.t.Helper()
	p.do("LREM", key("pending"), 0, jobKey(id))
	p.do("LPUSH", key("active"), jobKey(id))
	p.do("ZADD", key("lease"), lease.Unix(), jobKey(id))
	p.do("HSET", task(id), "state", "active")
	p.do("HDEL", task(id), "pending_since")
}

func (p *post) reconciler(change ...func(*reconcile.Options)) *reconcile.Reconciler {
	p.t.Helper()
	o := reconcile.Options{Redis: p.rdb, Pause: 50 * time.Millisecond, Settle: settle}
	for _, c := range change {
		c(&o)
	}
	i, err := reconcile.New(o)
	if err != nil {
		p.t.Fatal(err)
	}
	return i
}

// check answers with all findings, by mail and kind.
func (p *post) check(i *reconcile.Reconciler) ([]reconcile.Finding, reconcile.Summary) {
	p.t.Helper()
	var list []reconcile.Finding
	sum, err := i.Check(p.t.Context(), func(f reconcile.Finding) error {
		list = append(list, f)
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b reconcile.Finding) int {
		return strings.Compare(a.JobID+" "+string(a.Kind), b.JobID+" "+string(b.Kind))
	})
	return list, sum
}

// brief is a finding without its words.
func brief(f reconcile.Finding) string {
	b := f.JobID + ": " + string(f.Kind)
	if len(f.Where) > 0 {
		b += " in " + strings.Join(f.Where, "+")
	}
	if f.Harmless {
		b += ", harmless"
	}
	if f.Repairable {
		b += ", repairable"
	}
	return b
}

// places are the lists and sets that have a task, with what its hash says in front.
func (p *post) places(id string) string {
	p.t.Helper()
	ctx := context.WithoutCancel(p.t.Context())
	list := []string{p.rdb.HGet(ctx, task(id), "state").Val() + ":"}
	for _, name := range []string{"pending", "active"} {
		for range p.rdb.LPosCount(ctx, key(name), jobKey(id), 0, redis.LPosArgs{}).Val() {
			list = append(list, name)
		}
	}
	for _, name := range []string{"scheduled", "retry", "archived", "completed", "lease"} {
		if p.rdb.ZScore(ctx, key(name), jobKey(id)).Err() == nil {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

func blobKey(content []byte) string { return "rohrpost:blob:{" + blob.Digest(content) + "}" }

func settlementOf(state rohrpost.State) ledger.Settlement {
	return ledger.Settlement{Token: "test", Revision: 1, State: state}
}
