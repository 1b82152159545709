package producer_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // go-redis logs each dial of a Redis that is away
	os.Exit(m.Run())
}

// newClient is a client on a Redis of its own, and a second way into that Redis.
func newClient(t testing.TB, o producer.Options) (*producer.Client, redis.UniversalClient) {
	t.Helper()
	rdb := redistest.Start(t).Client(t)
	o.MessageIDDomain = cmp.Or(o.MessageIDDomain, "acme.example")
	client, err := producer.New(rdb, o)
	if err != nil {
		t.Fatal(err)
	}
	return client, rdb
}

func mail() rohrpost.Message {
	return rohrpost.Message{
		Tenant: "acme", From: rohrpost.Address{Address: "max@acme.example"},
		To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Rechnung", Text: "Guten Tag",
	}
}

func mustSend(t testing.TB, c *producer.Client, m rohrpost.Message, opts ...producer.Option) rohrpost.Receipt {
	t.Helper()
	receipt, err := c.Send(t.Context(), m, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// key is that of a mail of the tenant that mail() has.
func key(id string) string { return string(payload.KeyOf("acme", id)) }

// record is the key of its hash in the ledger.
func record(id string) string { return "rohrpost:job:{" + id + "},acme" }

// tasks are the keys that asynq holds, as "queue/state/key".
func tasks(t testing.TB, rdb redis.UniversalClient) []string {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "asynq:{*}:t:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(keys))
	for i, task := range keys {
		name, id, _ := strings.Cut(strings.TrimPrefix(task, "asynq:{"), "}:t:")
		out[i] = fmt.Sprintf("%s/%s/%s", name, rdb.HGet(t.Context(), task, "state").Val(), id)
	}
	slices.Sort(out)
	return out
}

// queued is the job that a worker would find.
func queued(t testing.TB, rdb redis.UniversalClient, queueName, id string) *payload.Job {
	t.Helper()
	info, err := asynq.NewInspectorFromRedisClient(rdb).GetTaskInfo(queueName, key(id))
	if err != nil {
		t.Fatalf("task %s: %v", id, err)
	}
	if info.Type != queue.TaskType {
		t.Errorf("task type %q", info.Type)
	}
	job, err := payload.Decode(info.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func status(t testing.TB, c *producer.Client, id string) rohrpost.Status {
	t.Helper()
	st, err := c.Status(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A counter is a go-redis hook that counts round trips, but for the look at the memory
// of Redis every two seconds.
type counter struct{ commands, pipelines atomic.Int64 }

func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "info" {
			c.commands.Add(1)
		}
		return next(ctx, cmd)
	}
}

func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() != "hello" { // by which the client greets Redis on a new connection
			c.pipelines.Add(1)
		}
		return next(ctx, cmds)
	}
}

// A proxy stands before Redis and loses replies.
type proxy struct {
	target string
	pass   atomic.Int64 // replies that still get through
	lose   atomic.Int64 // replies to lose after those, each with its connection
	lost   atomic.Int64
	ln     net.Listener
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, ln: ln}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) url() string { return "redis://" + p.ln.Addr().String() + "/0" }

// loseAfter lets pass replies through, once more and on each connection, and
// then loses as many as are said.
func (p *proxy) loseAfter(pass, lose int64) {
	p.pass.Store(pass)
	p.lose.Store(lose)
}

func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = server.(*net.TCPConn).ReadFrom(client)
		_ = server.Close()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf) // Redis has executed what this answers
		if err != nil {
			return
		}
		greeting := strings.Contains(string(buf[:n]), "proto") || string(buf[:n]) == "+OK\r\n"
		if !greeting && p.lose.Load() > 0 && p.pass.Add(-1) < 0 {
			p.lose.Add(-1)
			p.lost.Add(1)
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// archive lets a mail's task fail for good, without a worker.
func archive(t testing.TB, rdb redis.UniversalClient, queueName, id string) {
	t.Helper()
	archiveTask(t, rdb, queueName, key(id))
}

func archiveTask(t testing.TB, rdb redis.UniversalClient, queueName, key string) {
	t.Helper()
	if err := asynq.NewInspectorFromRedisClient(rdb).ArchiveTask(queueName, key); err != nil {
		t.Fatal(err)
	}
}

// untilItAnswers waits for a Redis that is back: go-redis takes a second to
// notice after many failed dials.
func untilItAnswers(t testing.TB, rdb redis.UniversalClient) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range 500 {
		if rdb.Ping(t.Context()).Err() == nil {
			return
		}
		<-ticker.C
	}
	t.Fatal("Redis does not come back")
}
