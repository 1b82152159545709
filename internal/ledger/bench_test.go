package ledger_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// settlement of a mail that a large provider has taken.
func settlement(token string) ledger.Settlement {
	return ledger.Settlement{
		Token: token, State: rohrpost.Accepted, Counts: true,
		Verdicts: map[int]rohrpost.RecipientStatus{
			0: {State: accepted, Code: 250, Enhanced: "2.0.0", Diagnostic: "Ok: queued as 4XyZ7b1kTqz9sWn"},
		},
		Account: "tenant:acme", Level: "tenant", Why: "automatic mail: the tenant's account comes first",
	}
}

// TestMemory keeps the record of an accepted mail to one recipient small.
func TestMemory(t *testing.T) {
	t.Parallel()
	b := open(t)
	const id = "ne3xfqrv5hzlgtyb2mwkcpa7du"
	job := b.job(id, 1)
	job.Metadata = nil
	if _, err := b.reserve(job, id); err != nil {
		t.Fatal(err)
	}
	b.rdb.HDel(t.Context(), "rohrpost:job:{"+id+"},acme", "md")
	b.mustArm(job, 0, "QWERTZUIOPAS1f", 0)
	b.mustSettle(job, settlement("QWERTZUIOPAS1f"))
	size := b.rdb.MemoryUsage(t.Context(), "rohrpost:job:{"+id+"},acme").Val()
	kind := b.rdb.ObjectEncoding(t.Context(), "rohrpost:job:{"+id+"},acme").Val()
	t.Logf("%d bytes, as %s", size, kind)
	if size > 450 || kind != "listpack" && kind != "ziplist" {
		t.Errorf("%d bytes, as %s", size, kind)
	}
}

// BenchmarkArmSettle is the ledger's part of an accepted mail, from 50 goroutines.
func BenchmarkArmSettle(b *testing.B) {
	book := open(b)
	var n atomic.Int64
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := strconv.FormatInt(n.Add(1), 10)
			job := book.job(id, 1)
			if err := book.Arm(b.Context(), job, 0, id, []int{0}); err != nil {
				b.Error(err)
			}
			if err := book.Settle(b.Context(), job, settlement(id)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
