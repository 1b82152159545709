package mailindex_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// BenchmarkAdd is what an enqueued mail costs its process, beside what the commands cost
// Redis.
func BenchmarkAdd(b *testing.B) {
	s := open(b)
	s.add(s.mail("1"))
	mails := []mailindex.Mail{s.mail("ne3xfqrv5hzlgtyb2mwkcpa7du")}
	b.ReportAllocs()
	for b.Loop() {
		var batch lua.Batch
		s.Add(&batch, "acme", mails)
	}
}

// BenchmarkSettled is what an accepted mail costs a worker.
func BenchmarkSettled(b *testing.B) {
	g := mailindex.NewGatherer(open(b).Index)
	for b.Loop() {
		g.Count("acme", rohrpost.Accepted)
	}
}

// BenchmarkCost is what an enqueued mail with one recipient costs Redis, if each is sent
// alone: commands, memory, and the log on disk before it is rewritten.
func BenchmarkCost(b *testing.B) {
	s := open(b, redistest.Args("--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"))
	s.add(s.mail("1"))
	const mails = 100_000
	for b.Loop() {
		before := s.figures()
		var batch lua.Batch
		for i := range mails {
			s.Add(&batch, "acme", []mailindex.Mail{s.mail(fmt.Sprintf("ne3xfqrv5hzlgtyb2m%08d", i))})
			if i%1000 == 999 {
				if err := batch.Exec(b.Context(), s.rdb); err != nil {
					b.Fatal(err)
				}
				batch = lua.Batch{}
			}
		}
		after := s.figures()
		for name, figure := range map[string]string{"commands/mail": "total_commands_processed", "memory-B/mail": "used_memory_dataset", "log-B/mail": "aof_current_size"} {
			b.ReportMetric((after[figure]-before[figure])/mails, name)
		}
	}
}

// figures are those of INFO that are numbers.
func (s *site) figures() map[string]float64 {
	figures := map[string]float64{}
	for line := range strings.Lines(s.rdb.Info(s.tb.Context(), "everything").Val()) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			figures[name] = n
		}
	}
	return figures
}

// BenchmarkFind looks among a million mails of one tenant: for one of them to the end, for
// as long as a page of the list may, and for how many there are.
func BenchmarkFind(b *testing.B) {
	s := open(b)
	begin := s.now
	mails := make([]mailindex.Mail, 1000)
	for i := range 1000 {
		s.now = begin.Add(time.Duration(i-1000) * 2 * time.Minute)
		for k := range mails {
			mails[k] = s.mail(fmt.Sprintf("ne3xfqrv5hzlgtyb2m%08d", 1000*i+k), to(fmt.Sprintf("kunde%d@example.org", 1000*i+k)))
		}
		s.add(mails...)
	}
	s.now = begin
	b.Run("to the end", func(b *testing.B) {
		for b.Loop() {
			if got := s.ids(mailindex.Query{Recipient: "kunde7@example.org"}, 50); len(got) != 1 {
				b.Fatalf("%q", got)
			}
		}
	})
	b.Run("a page", func(b *testing.B) {
		for b.Loop() {
			q := mailindex.Query{Tenant: "acme", Recipient: "kunde7@example.org", Most: 250_000}
			err := s.Walk(b.Context(), q, mailindex.Cursor{}, func(mailindex.Entry) bool { return true })
			if _, ok := errors.AsType[*mailindex.Unfinished](err); !ok {
				b.Fatal(err)
			}
		}
	})
	b.Run("the newest", func(b *testing.B) {
		for b.Loop() {
			n := 0
			if err := s.Walk(b.Context(), mailindex.Query{Tenant: "acme"}, mailindex.Cursor{}, func(mailindex.Entry) bool { n++; return n < 51 }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("the total", func(b *testing.B) {
		for b.Loop() {
			if n, exact, err := s.Count(b.Context(), mailindex.Query{Tenant: "acme"}); n != 1_000_000 || !exact || err != nil {
				b.Fatalf("%d %v %v", n, exact, err)
			}
		}
	})
}
