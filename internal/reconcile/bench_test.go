package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

// BenchmarkCheck looks at mails of 4 KB of which half wait in the pending list and
// half in the retry set. It takes the same time for each mail, however many.
func BenchmarkCheck(b *testing.B) {
	const mails = 10_000
	rdb := redistest.Start(b).Client(b)
	ctx := b.Context()
	client, err := producer.New(rdb, producer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("Guten Tag. ", 370)
	for n := 0; n < mails; n += 1000 {
		var batch []rohrpost.Message
		for k := range 1000 {
			batch = append(batch, rohrpost.Message{
				ID: fmt.Sprintf("mail-%08d-of-the-bench", n+k), Tenant: "acme", Text: text, To: []rohrpost.Address{{Address: "a@example.org"}},
			})
		}
		if _, err := client.SendBatch(ctx, batch); err != nil {
			b.Fatal(err)
		}
	}
	err = rdb.Eval(ctx, `
		for _, id in ipairs(redis.call('LPOP', KEYS[1], ARGV[1])) do
			redis.call('ZADD', KEYS[2], ARGV[2], id)
			redis.call('HSET', 'asynq:{default}:t:' .. id, 'state', 'retry')
		end`, []string{key("pending"), key("retry")}, mails/2, time.Now().Add(time.Hour).Unix()).Err()
	if err != nil && err.Error() != "redis: nil" {
		b.Fatal(err)
	}
	i, err := reconcile.New(reconcile.Options{Redis: rdb})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sum, err := i.Check(ctx, func(f reconcile.Finding) error { return fmt.Errorf("%s", brief(f)) })
		if err != nil || sum.OnTheWay != mails {
			b.Fatal(sum, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/mails, "ns/mail")
}
