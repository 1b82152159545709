package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// TestEachMailOnce sends 10,000 mails of 4 KB from several goroutines: all are
// accepted, and the sink has each exactly once.
func TestEachMailOnce(t *testing.T) {
	const mails, senders, batch = 10_000, 8, 50
	s := startSink(t)
	redis := redistest.Start(t)
	startWorker(t, redis.URL(), s)
	mail := openProducer(t, redis.URL())
	receipts := enqueue(t, mail, mails, senders, batch)
	waitAccepted(t, 2*time.Minute, mail, receipts)
	taken := s.taken()
	known := byID(taken)
	for _, r := range receipts {
		if n := known[r.ID]; n != 1 {
			t.Errorf("%s was taken %d times", r.ID, n)
		}
	}
	if len(taken) != mails {
		t.Errorf("the sink has %d mails", len(taken))
	}
}

// enqueue sends mails one by one and in batches from several goroutines.
func enqueue(t *testing.T, mail *producer.Client, mails, senders, batch int) []rohrpost.Receipt {
	t.Helper()
	var mu sync.Mutex
	var receipts []rohrpost.Receipt
	var group sync.WaitGroup
	for g := range senders {
		group.Go(func() {
			for sent := 0; sent < mails/senders; {
				n := 1
				if g%2 == 0 {
					n = min(batch, mails/senders-sent)
				}
				messages := make([]rohrpost.Message, n)
				for i := range messages {
					messages[i] = message()
				}
				results, err := mail.SendBatch(t.Context(), messages)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, r := range results {
					receipts = append(receipts, r.Receipt)
				}
				mu.Unlock()
				sent += n
			}
		})
	}
	group.Wait()
	return receipts
}

// waitAccepted waits until every job is accepted. A job that ended otherwise
// fails the test.
func waitAccepted(t *testing.T, limit time.Duration, mail *producer.Client, receipts []rohrpost.Receipt) {
	t.Helper()
	next, last := 0, "nothing is known of it"
	t.Cleanup(func() {
		if t.Failed() && next < len(receipts) {
			t.Logf("mail %d of %d: %s", next+1, len(receipts), last)
		}
	})
	waitAtMost(t, limit, "every mail is accepted", func() bool {
		for ; next < len(receipts); next++ {
			st, err := mail.Status(t.Context(), receipts[next].ID)
			if err != nil {
				last = err.Error()
				return false // Redis may be away for a while
			}
			if last = fmt.Sprintf("%+v", st); st.State.Final() && st.State != rohrpost.Accepted {
				t.Fatalf("%s ended %s", st.ID, st.State)
			}
			if st.State != rohrpost.Accepted {
				return false
			}
		}
		return true
	})
}
