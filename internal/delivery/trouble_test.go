package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
)

// queued is the task that the producer has put into the queue.
func (h *harness) queued(id string) (*payload.Job, []byte) {
	h.t.Helper()
	info, err := asynq.NewInspectorFromRedisClient(h.rdb).GetTaskInfo("default", h.key(id))
	if err != nil {
		h.t.Fatal(err)
	}
	job, err := payload.Decode(info.Payload)
	if err != nil {
		h.t.Fatal(err)
	}
	return job, info.Payload
}

// enqueue puts a task into the queue past the producer.
func (h *harness) enqueue(task *asynq.Task, opts ...asynq.Option) {
	h.t.Helper()
	if _, err := asynq.NewClientFromRedisClient(h.rdb).Enqueue(task, opts...); err != nil {
		h.t.Fatal(err)
	}
	if err := h.rdb.Publish(h.t.Context(), "rohrpost:wake", "").Err(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) book() *ledger.Ledger {
	h.t.Helper()
	l, err := ledger.New(ledger.Options{Redis: h.rdb})
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// TestEndedJobIsNeverSentAgain runs the task of an accepted mail once more, as
// asynq does when its acknowledgement was lost.
func TestEndedJobIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	job, content := h.queued(id)
	h.start()
	h.next("accepted")
	again := queue.NewTask(job, content)
	var err error
	for range 100 { // until the first task is acknowledged its id is taken
		if _, err = asynq.NewClientFromRedisClient(h.rdb).Enqueue(again); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	if n := h.server.Count(smtptest.Recipient("a@example.org")); n > 1 || h.server.Taken() != 2 {
		t.Errorf("a@example.org was tried %d times, %d mails", n, h.server.Taken())
	}
}

// TestCrashAfterTheDot finds the note of a worker that died while it waited for
// the answer to the final dot.
func TestCrashAfterTheDot(t *testing.T) {
	t.Parallel()
	for _, policy := range []rohrpost.OnUncertain{rohrpost.Resend, rohrpost.Hold} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			id := h.send(rohrpost.Message{To: to("a@example.org", "b@example.org"), OnUncertain: policy})
			job, _ := h.queued(id)
			if err := h.book().Arm(t.Context(), job, 0, "dead", []int{0}); err != nil {
				t.Fatal(err)
			}
			h.start()
			h.next("uncertain")
			h.next("accepted", "failed")
			st := h.status(id)
			count := map[string]int{}
			for _, m := range h.server.Mails() {
				for _, r := range m.Recipients {
					count[r]++
				}
			}
			if policy == rohrpost.Resend && (st.State != rohrpost.Accepted || !st.MaybeTwice || count["a@example.org"] != 1) {
				t.Errorf("resend: %+v, mails %v", st, count)
			}
			if policy == rohrpost.Hold && (st.State != rohrpost.Uncertain || count["a@example.org"] != 0) {
				t.Errorf("hold: %+v, mails %v", st, count)
			}
			if count["b@example.org"] != 1 {
				t.Errorf("the other recipient: %v", count)
			}
		})
	}
}

func TestCanceledWhileWaiting(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	if err := h.mail.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Canceled || h.server.Taken() != 1 {
		t.Errorf("status %+v, %d mails", st, h.server.Taken())
	}
}

// TestCanceledAtTheLastMoment cancels while the server is being talked to.
func TestCanceledAtTheLastMoment(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	canceled := make(chan error, 1)
	var id string
	h.server.Once(smtptest.RCPT, smtptest.Reply(250, "ok").Doing(func() { canceled <- h.mail.Cancel(context.Background(), id) }))
	id = h.send(rohrpost.Message{To: to("a@example.org")})
	h.start()
	if err := <-canceled; err != nil {
		t.Fatal(err)
	}
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Canceled {
		t.Errorf("status %+v", st)
	}
	for _, m := range h.server.Mails() {
		if m.Recipients[0] == "a@example.org" {
			t.Error("the canceled mail was sent")
		}
	}
}

// An older version has enqueued a tenant's task under the id that is the platform's now.
func TestForeignTenantsTaskIsDropped(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("a@example.org"), NotBefore: time.Now().Add(time.Hour)})
	job, _ := h.queued(id)
	job.Tenant, job.Bare, job.Priority, job.NotBefore = "b", true, rohrpost.Critical, time.Time{}
	content, err := payload.Encode(job)
	if err != nil {
		t.Fatal(err)
	}
	h.start()
	h.enqueue(queue.NewTask(job, content))
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	if st := h.status(id); st.Tenant != "" || st.State != rohrpost.Scheduled {
		t.Errorf("status %+v", st)
	}
}

func TestNewerPayloadWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.start()
	h.enqueue(asynq.NewTask(queue.TaskType, []byte(`{"v":999,"id":{"new":"shape"}}`+"\n")), asynq.Queue("default"), asynq.TaskID("future"), asynq.MaxRetry(1000))
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	h.eventually("the task waits", func() bool {
		info, err := asynq.NewInspectorFromRedisClient(h.rdb).GetTaskInfo("default", "future")
		return err == nil && info.State == asynq.TaskStateRetry && info.Retried == 0
	})
}

func TestGarbageIsArchived(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.start()
	h.enqueue(asynq.NewTask(queue.TaskType, []byte("no payload")), asynq.Queue("default"), asynq.TaskID("garbage"))
	h.eventually("the task is archived", func() bool {
		info, err := asynq.NewInspectorFromRedisClient(h.rdb).GetTaskInfo("default", "garbage")
		return err == nil && info.State == asynq.TaskStateArchived
	})
}

// eventually looks again each time asynq may have moved a task on.
func (h *harness) eventually(what string, ok func() bool) {
	h.t.Helper()
	deadline := time.After(waitLimit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("not within %v: %s", waitLimit, what)
		}
	}
}

// crashing panics at the first Resolve.
type crashing struct {
	delivery.Resolver
	first chan struct{}
}

func (c crashing) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	select {
	case <-c.first:
		panic("secret text of a mail")
	default:
		return c.Resolver.Resolve(ctx, r)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	first := make(chan struct{}, 1)
	first <- struct{}{}
	h := newHarness(t, func(o *delivery.Options) { o.Resolver = crashing{o.Resolver, first} })
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("deferred")
	h.next("accepted")
	e := h.entries(id)
	if len(e) != 1 || e[0].Final || strings.Contains(e[0].Diagnostic, "secret") {
		t.Errorf("entries %+v", e)
	}
}

// broke fails every Resolve.
type broke struct{}

func (broke) Resolve(context.Context, resolver.Request) (resolver.Sender, error) {
	return resolver.Sender{}, &resolver.NoAccountError{Tenant: "acme"}
}

func (broke) Fallback(context.Context, resolver.Request, resolver.Sender) (resolver.Sender, bool, error) {
	return resolver.Sender{}, false, nil
}

func TestNoAccount(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Resolver = broke{} })
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("deferred")
	if e := h.entries(id); len(e) == 0 || e[0].Class != string(failure.Config) || !strings.Contains(e[0].Diagnostic, "no account") {
		t.Errorf("entries %+v", e)
	}
}

func TestMissingBlob(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("a@example.org"), Attachments: []rohrpost.Attachment{{Name: "a.pdf", Content: []byte("pdf")}}})
	job, _ := h.queued(id)
	if err := h.rdb.Del(t.Context(), "rohrpost:blob:{"+job.Files[0].Digest+"}").Err(); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.next("failed")
	if st := h.status(id); st.State != rohrpost.Failed {
		t.Errorf("status %+v", st)
	}
}

// TestRedisAwayAfterTheDot freezes Redis when the server has the mail: its 250
// must be written down as soon as Redis answers again.
func TestRedisAwayAfterTheDot(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	taken := make(chan struct{})
	h.server.Once(smtptest.Dot, smtptest.Reply(250, "2.0.0 ok").Taking().Doing(func() {
		h.redis.Kill()
		close(taken)
	}))
	h.redis.Stop()
	h.redis.Start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.start()
	<-taken
	h.redis.Start()
	// The killed Redis kept nothing: what comes back is an empty one, and the
	// settlement is the first thing it learns.
	h.next("accepted")
	if st := h.status(id); st.State != rohrpost.Accepted || h.server.Taken() != 1 {
		t.Errorf("status %+v, %d mails", st, h.server.Taken())
	}
}

// TestStopWaits stops the worker while a server is slow with its 250.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	reached, answer := make(chan struct{}), make(chan struct{})
	h.server.Once(smtptest.Dot, smtptest.Reply(250, "2.0.0 ok").Taking().Doing(func() { close(reached); <-answer }))
	w := h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	<-reached
	stopped := make(chan struct{})
	go func() { w.Stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("Stop did not wait for the answer")
	default:
	}
	close(answer)
	<-stopped
	if st := h.status(id); st.State != rohrpost.Accepted {
		t.Errorf("status %+v", st)
	}
}

// TestStopCutsOff stops the worker while a server never answers: after the dot
// the mail is uncertain, before it the mail goes back to the queue.
func TestStopCutsOff(t *testing.T) {
	t.Parallel()
	for stage, want := range map[smtptest.Stage]rohrpost.State{smtptest.Dot: rohrpost.Deferred, smtptest.RCPT: rohrpost.Queued} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, func(o *delivery.Options) { o.ShutdownTimeout = 10 * time.Second })
			reached := make(chan struct{})
			h.server.Once(stage, smtptest.Silence().Doing(func() { close(reached) }))
			w := h.start()
			id := h.send(rohrpost.Message{To: to("a@example.org")})
			<-reached
			w.Stop()
			st := h.status(id)
			if st.State != want || (want == rohrpost.Deferred) != (st.Recipients[0].State == rohrpost.RecipientUncertain) {
				t.Errorf("status %+v", st)
			}
			h.start()
			h.next("accepted")
			if st := h.status(id); st.State != rohrpost.Accepted || h.server.Taken() != 1 {
				t.Errorf("at the end: %+v, %d mails", st, h.server.Taken())
			}
		})
	}
}
