package mailindex_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
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

// BenchmarkFind looks among a million mails of one tenant for one of them.
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
	b.ResetTimer()
	for b.Loop() {
		if got := s.ids(mailindex.Query{Recipient: "kunde7@example.org"}, 50); len(got) != 1 {
			b.Fatalf("%q", got)
		}
	}
}
