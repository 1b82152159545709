package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// TestSentinelFailOver kills the master of a Sentinel group under load.
func TestSentinelFailOver(t *testing.T) {
	t.Parallel()
	group := redistest.StartSentinel(t, redistest.AOF())
	client := group.Client(t).(*redis.Client)
	failOver(t, group.URL(), client, group.Master(), func(context.Context) ([]shard, error) {
		return []shard{{client, "rohrpost-test", 2}}, nil
	})
}

// TestLostClusterMaster kills the master of a Cluster that has most of the queues,
// under load.
func TestLostClusterMaster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 1, redistest.AOF())
	client := cluster.Client(t)
	owner, err := client.MasterForKey(t.Context(), "asynq:{default}:pending")
	if err != nil {
		t.Fatal(err)
	}
	var victim *redistest.Server
	keys := map[string]string{} // of each master, one that lies there
	for i := range 3 {
		if cluster.Node(i).Addr() == owner.Options().Addr {
			victim = cluster.Node(i)
		}
	}
	for n := 0; len(keys) < 3; n++ {
		key := fmt.Sprint("rohrpost-test-", n)
		master, err := client.MasterForKey(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		keys[master.Options().Addr] = key
	}
	failOver(t, cluster.URL(), client, victim, func(ctx context.Context) ([]shard, error) {
		var list []shard
		for _, key := range keys {
			master, err := client.MasterForKey(ctx, key)
			if err != nil {
				return nil, err
			}
			list = append(list, shard{master, key, 1})
		}
		return list, nil
	})
}

// A shard is a master, a key that lies there, and how many replicas there are.
type shard struct {
	master   *redis.Client
	key      string
	replicas int
}

// replicated waits until all replicas of every master have what was written
// before, and answers with who the masters are: only if they are the same before
// and after a write is it safe. One of two replicas is not enough: the other one
// may be the next master already. (WAIT counts the writes of its own connection,
// so it makes one: what went before it is then there, too.)
func replicated(ctx context.Context, shards []shard) (masters string, err error) {
	for _, s := range shards {
		conn := s.master.Conn()
		pipe := conn.Pipeline()
		pipe.Set(ctx, s.key, "x", time.Hour)
		acknowledged := pipe.Do(ctx, "WAIT", s.replicas, 1000)
		server := pipe.Info(ctx, "server")
		_, err := pipe.Exec(ctx)
		_ = conn.Close()
		if err != nil {
			return "", err
		}
		if n, err := acknowledged.Int(); err != nil || n < s.replicas {
			return "", errors.Join(err, errors.New("not all replicas have it"))
		}
		_, id, _ := strings.Cut(server.Val(), "run_id:")
		id, _, _ = strings.Cut(id, "\r")
		masters += id + " "
	}
	return masters, nil
}

// A load is several senders and what became of their mails.
type load struct {
	t      *testing.T
	shards func(context.Context) ([]shard, error)

	mu   sync.Mutex
	safe []rohrpost.Receipt // acknowledged, and replicated
	told []rohrpost.Receipt // acknowledged; nobody knows whether replicated
	lost []string           // ids that the caller was given an error for
	errs map[string]int
}

// send sends until ctx ends: single mails and batches in turn.
func (l *load) send(ctx context.Context, mail *producer.Client) {
	const batch = 5
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	masters := ""
	for n := 0; ctx.Err() == nil; n++ {
		var receipts []rohrpost.Receipt
		messages := make([]rohrpost.Message, 1+n%2*(batch-1))
		for i := range messages {
			messages[i] = message()
			messages[i].Priority = []rohrpost.Priority{rohrpost.Default, rohrpost.Default, rohrpost.Bulk}[n%3]
		}
		results, _ := mail.SendBatch(l.t.Context(), messages) // each result has its own error
		l.mu.Lock()
		for _, r := range results {
			if r.Err == nil {
				receipts = append(receipts, r.Receipt)
				continue
			}
			l.lost = append(l.lost, r.Receipt.ID)
			l.errs[r.Err.Error()]++
		}
		l.mu.Unlock()
		before := masters
		shards, err := l.shards(l.t.Context())
		if err == nil {
			masters, err = replicated(l.t.Context(), shards)
		}
		if err != nil {
			masters = ""
		}
		l.mu.Lock()
		if masters != "" && masters == before {
			l.safe = append(l.safe, receipts...)
		} else {
			l.told = append(l.told, receipts...)
		}
		l.mu.Unlock()
		<-tick.C
	}
}

func (l *load) replicated() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.safe)
}

// failOver kills the victim while mails are sent and delivered, and starts it
// again when another has taken its place. What was acknowledged and replicated is
// delivered, once or with a word that it may be twice; the rest is counted.
func failOver(t *testing.T, url string, client redis.UniversalClient, victim *redistest.Server, shards func(context.Context) ([]shard, error)) {
	t.Helper()
	redisconn.LogTo(zerolog.Nop())
	const enough = 400 // mails before and after
	s := startSink(t)
	settings := []string{"ROHRPOST_RETRY_FIRST=1s", "ROHRPOST_RETRY_UNCERTAIN_PAUSE=3s", "ROHRPOST_WORKER_CONCURRENCY=20"}
	for range 2 {
		startWorker(t, url, s, settings...)
	}
	l := &load{t: t, shards: shards, errs: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	defer senders.Wait()
	defer cancel()
	for range 4 {
		mail := openProducer(t, url)
		senders.Go(func() { l.send(ctx, mail) })
	}
	waitFor(t, "mails are sent and delivered", func() bool { return l.replicated() >= enough && len(s.taken()) >= enough })
	victim.Kill()
	killed := time.Now()
	before := l.replicated()
	waitFor(t, "another is the master", func() bool { return client.Set(t.Context(), "asynq:{default}:test", "x", time.Hour).Err() == nil })
	away := time.Since(killed)
	victim.Start()
	waitAtMost(t, 2*time.Minute, "mails are sent and replicated again", func() bool { return l.replicated() >= before+enough })
	cancel()
	senders.Wait()
	l.check(s, client, openProducer(t, url), away)
}

// check waits for the end of all that is safe, and counts.
func (l *load) check(s *sink, client redis.UniversalClient, mail *producer.Client, away time.Duration) {
	t := l.t
	t.Helper()
	t.Cleanup(func() { l.tellOpen(client, mail) })
	inspector := asynq.NewInspectorFromRedisClient(client)
	l.waitEnded(mail, inspector)
	waitAtMost(t, 5*time.Minute, "the queues are empty", func() bool {
		for _, name := range []rohrpost.Priority{rohrpost.Default, rohrpost.Bulk} {
			info, err := inspector.GetQueueInfo(string(name))
			if err != nil || info.Pending+info.Active+info.Scheduled+info.Retry > 0 {
				return false
			}
		}
		return true
	})
	taken := map[string]int{}
	for id, n := range s.taken() {
		id, _, _ = strings.Cut(strings.TrimPrefix(id, "<"), "@")
		taken[id] = n
	}
	uncertain := uncertainJobs(t, client)
	twice := 0
	// What the replicas did not have yet when the master died, nobody can call uncertain: a
	// mail may be there without what had become of it.
	count := func(id string, promised bool) int {
		if taken[id] < 2 {
			return min(taken[id], 1)
		}
		twice++
		if st, err := mail.Status(t.Context(), id); promised && !uncertain[id] && (err != nil || !st.MaybeTwice) {
			t.Errorf("%s was taken %d times, and nobody calls it uncertain", id, taken[id])
		}
		return 1
	}
	var safe, told, refused int
	for _, r := range l.safe {
		if n := count(r.ID, true); n == 0 {
			t.Errorf("%s was acknowledged and replicated, and is lost", r.ID)
		} else {
			safe += n
		}
	}
	for _, r := range l.told {
		told += count(r.ID, false)
	}
	for _, id := range l.lost {
		refused += count(id, true)
	}
	t.Logf("without a master for %v: %d mails acknowledged and replicated, %d of them delivered; %d acknowledged in doubt, %d delivered; %d errors to the caller, %d delivered; %d uncertain, %d twice",
		away.Round(100*time.Millisecond), len(l.safe), safe, len(l.told), told, len(l.lost), refused, len(uncertain), twice)
	for text, n := range l.errs {
		t.Logf("%5d × %s", n, text)
	}
	if len(l.lost) == 0 {
		t.Error("no caller was told anything: the test has shown nothing")
	}
}

// waitEnded waits until each mail is accepted. A few may have left with a note that
// only the dead master had taken, as acknowledged as the task's end after it: their
// record goes on saying that they are being sent, until a worker reconciles. Whether a server
// has them is looked at like that of all others.
func (l *load) waitEnded(mail *producer.Client, inspector *asynq.Inspector) {
	l.t.Helper()
	open := slices.Clone(l.safe)
	waitAtMost(l.t, 4*time.Minute, "every mail is at its end", func() bool {
		open = slices.DeleteFunc(open, func(r rohrpost.Receipt) bool {
			st, err := mail.Status(l.t.Context(), r.ID)
			switch {
			case err != nil:
				return false
			case st.State != rohrpost.Sending:
				return st.State == rohrpost.Accepted
			}
			for _, name := range []rohrpost.Priority{rohrpost.Default, rohrpost.Bulk} {
				if _, err := inspector.GetTaskInfo(string(name), r.ID); !errors.Is(err, asynq.ErrTaskNotFound) && !errors.Is(err, asynq.ErrQueueNotFound) {
					return false
				}
			}
			st, err = mail.Status(l.t.Context(), r.ID) // the record is settled before the task goes
			if err == nil && st.State == rohrpost.Sending {
				l.t.Logf("%s is accepted, and only the dead master had that", r.ID)
				return true
			}
			return false
		})
		return len(open) == 0
	})
}

// tellOpen says of a failed test where the first mails are that have not ended.
func (l *load) tellOpen(client redis.UniversalClient, mail *producer.Client) {
	if !l.t.Failed() {
		return
	}
	inspector := asynq.NewInspectorFromRedisClient(client)
	ctx, told := context.Background(), 0
	for _, r := range l.safe {
		st, err := mail.Status(ctx, r.ID)
		if err == nil && st.State.Final() || told == 10 {
			continue
		}
		told++
		for _, name := range []rohrpost.Priority{rohrpost.Default, rohrpost.Bulk} {
			if task, err := inspector.GetTaskInfo(string(name), r.ID); err == nil {
				l.t.Logf("%s in %s: %v, retried %d, %q, next %v, lost lease %v", r.ID, name, task.State, task.Retried, task.LastErr, task.NextProcessAt, task.IsOrphaned)
			}
		}
		l.t.Logf("%s: %v %+v", r.ID, err, st)
	}
}
