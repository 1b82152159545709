package delivery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// blobs are what Redis has of attachments and large bodies, and for whom.
func (h *harness) blobs() []string {
	h.t.Helper()
	return h.rdb.Keys(h.t.Context(), "rohrpost:blob:*").Val()
}

// untilBlobs waits until so many keys of blobs are left.
func (h *harness) untilBlobs(want int) {
	h.t.Helper()
	h.eventually("the blobs are as many as they should be", func() bool { return len(h.blobs()) == want })
}

func withFile(recipient string) rohrpost.Message {
	return rohrpost.Message{
		To: to(recipient), Text: strings.Repeat("lang ", 10_000), Attachments: []rohrpost.Attachment{{Name: "a.pdf", Content: []byte("pdf")}},
	}
}

// What an accepted mail consists of goes with it, and stays while another needs it.
func TestAcceptedLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.send(withFile("a@example.org"))
	later := withFile("b@example.org")
	later.NotBefore = time.Now().Add(time.Hour)
	waits := h.send(later)
	w, err := delivery.New(h.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.next("accepted")
	w.Stop() // it writes what it has gathered
	job, _ := h.queued(waits)
	for _, d := range job.Blobs() {
		users := h.rdb.ZRange(t.Context(), "rohrpost:blob:{"+d+"}:users", 0, -1).Val()
		if len(users) != 1 || users[0] != h.key(waits) {
			t.Errorf("a blob is there for %q, want for the mail that waits alone", users)
		}
	}
	if err := h.mail.Retry(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.next("accepted")
	h.untilBlobs(0)
	if n := h.server.Taken(); n != 2 {
		t.Errorf("%d mails arrived", n)
	}
}

// A mail that has failed can be sent again with all that was in it, as long as the bound
// of its tenant lets it; then it says so.
func TestFailedIsKept(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.FailedBytes = 60 << 10 })
	h.start()
	fail := func() string {
		t.Helper()
		h.server.Once(smtptest.RCPT, smtptest.Reply(550, "5.1.1 unknown"))
		id := h.send(withFile("a@example.org"))
		h.next("failed")
		h.eventually("the task is archived", func() bool { return h.task(id).State == asynq.TaskStateArchived })
		return id
	}
	first := fail()
	if len(h.blobs()) != 4 {
		t.Errorf("%q", h.blobs())
	}
	if err := h.mail.Retry(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	h.next("accepted")
	h.untilBlobs(0)
	second := fail()
	third := fail()
	h.eventually("the older one is gone", func() bool { return h.task(second) == nil })
	if err := h.mail.Retry(t.Context(), second); !errors.Is(err, producer.ErrContentGone) {
		t.Errorf("the older one: %v", err)
	}
	if err := h.mail.Retry(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	h.next("accepted")
	h.untilBlobs(0)
}

// Canceled and refused mails leave nothing either.
func TestCanceledLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(withFile("a@example.org"))
	if err := h.mail.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := h.blobs(); len(got) != 0 {
		t.Errorf("canceled: %q", got)
	}
	block := make(chan struct{})
	h.server.Once(smtptest.RCPT, smtptest.Reply(250, "ok").Doing(func() { <-block }))
	id = h.send(withFile("a@example.org"))
	h.start()
	h.eventually("a worker has it", func() bool { return h.task(id).State == asynq.TaskStateActive })
	if err := h.mail.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	close(block)
	h.untilBlobs(0)
}
