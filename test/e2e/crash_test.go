package e2e

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// TestKilledWorker kills a worker under load with SIGKILL and starts a second
// one: every mail is accepted, and a mail that the sink has twice is one that the
// ledger calls uncertain.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	const mails = 400
	s := startSink(t, "-W", ".:1") // slow answers to the final dot: many mails are past it
	server := redistest.Start(t, redistest.AOF())
	settings := []string{"ROHRPOST_RETRY_UNCERTAIN_PAUSE=3s", "ROHRPOST_RETRY_FIRST=1s", "ROHRPOST_WORKER_CONCURRENCY=20"}
	first := startWorker(t, server.URL(), s, settings...)
	mail := openProducer(t, server.URL())
	receipts := enqueue(t, mail, mails, 4, 100)
	waitFor(t, "some mails are through", func() bool { return len(s.taken()) >= 40 })
	killPastDot(t, first, mail, receipts)
	startWorker(t, server.URL(), s, append(settings, "ROHRPOST_WORKER_CONCURRENCY=200")...)
	// asynq finds a dead worker's tasks by their leases: 30 s, looked at each minute.
	waitAccepted(t, 5*time.Minute, mail, receipts)

	uncertain := uncertainJobs(t, server.Client(t))
	twice := 0
	taken := byID(s.taken())
	for _, r := range receipts {
		n := taken[r.ID]
		if n == 0 {
			t.Errorf("%s is lost", r.ID)
		}
		if n > 1 {
			twice++
			if !uncertain[r.ID] {
				t.Errorf("%s was taken %d times and nobody calls it uncertain", r.ID, n)
			}
		}
		if n > 2 {
			t.Errorf("%s was taken %d times", r.ID, n)
		}
	}
	t.Logf("%d mails, %d uncertain, %d of them twice", len(receipts), len(uncertain), twice)
	if len(uncertain) == 0 {
		t.Error("a mail was past its dot, and nobody calls it uncertain")
	}
}

// killPastDot kills a worker at a moment at which one of its mails is past its dot: it
// looks while the worker stands still.
func killPastDot(t *testing.T, worker *exec.Cmd, mail *producer.Client, receipts []rohrpost.Receipt) {
	t.Helper()
	signal := func(s os.Signal) {
		if err := worker.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "a mail past its dot", func() bool {
		signal(syscall.SIGSTOP)
		for _, r := range receipts {
			if st, err := mail.Status(t.Context(), r.ID); err == nil && st.State == rohrpost.Sending {
				return true
			}
		}
		signal(syscall.SIGCONT)
		return false
	})
	signal(os.Kill)
}

// uncertainJobs are those that the error log calls uncertain.
func uncertainJobs(t *testing.T, client redis.UniversalClient) map[string]bool {
	t.Helper()
	log, err := errorlog.New(errorlog.Options{Redis: client})
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]bool{}
	for e, err := range log.Query(t.Context(), errorlog.Filter{AllTenants: true, Category: "delivery_uncertain"}) {
		if err != nil {
			t.Fatal(err)
		}
		jobs[e.JobID] = true
	}
	return jobs
}

// TestRedisOutage takes Redis away for five seconds under load: nothing is lost
// and nothing is sent twice.
func TestRedisOutage(t *testing.T) {
	t.Parallel()
	const mails = 400
	s := startSink(t, "-W", ".:1")
	redis := redistest.Start(t, redistest.AOF())
	startWorker(t, redis.URL(), s, "ROHRPOST_RETRY_FIRST=1s", "ROHRPOST_WORKER_CONCURRENCY=40")
	mail := openProducer(t, redis.URL())
	receipts := enqueue(t, mail, mails, 4, 100)
	waitFor(t, "some mails are through", func() bool { return len(s.taken()) >= 40 })
	redis.Kill()
	<-time.After(5 * time.Second) // the outage itself
	redis.Start()
	waitAccepted(t, 5*time.Minute, mail, receipts)
	taken := byID(s.taken())
	for _, r := range receipts {
		if n := taken[r.ID]; n != 1 {
			t.Errorf("%s was taken %d times", r.ID, n)
		}
	}
}
