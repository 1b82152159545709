// Package chaos runs several workers of the real program through a storm, and
// holds what their ledger says to what the mail servers have: `make chaos`.
//
//	chaos_test.go    one run: storm, calm, judgement
//	plan_test.go     what happens to whom and when: decided by the seed
//	deeds_test.go    doing it: kill, freeze, cut, set the clock
//	site_test.go     the parts: Redis, servers, accounts, workers
//	links_test.go    the ways between them, through toxiproxy
//	build_test.go    the program, with a clock that jumps, or with a planted bug
//	whims_test.go    how a mail server misbehaves, at each visit: by the seed
//	server_test.go   a mail server with whims; taken_test.go is its test
//	books_test.go    every mail, and every copy that a server took
//	mails_test.go    the mails, those who send and those who cancel
//	judge_test.go    the laws; laws_test.go breaks them
//
// Plain go test runs a few seconds of it, without the deaths that asynq notices
// after a minute or two.
package chaos

import (
	"context"
	"flag"
	"testing"
	"time"
)

// The flags of make chaos ARGS='…'. Their defaults are the small version.
var (
	seedFlag    = flag.Int64("seed", 1, "decides what happens, and how servers treat each mail")
	mailsFlag   = flag.Int("mails", 400, "how many mails are sent")
	stormFlag   = flag.Duration("storm", 6*time.Second, "how long the storm lasts; from a minute on processes die and clocks jump")
	calmFlag    = flag.Duration("calm", 20*time.Minute, "how long the mails may take after it")
	plantedFlag = flag.Bool("planted", false, "build a program whose ledger does not write down that a mail is about to leave: the run must fail")
)

// TestStorm is the whole.
func TestStorm(t *testing.T) {
	plan := newPlan(uint64(*seedFlag), *stormFlag)
	s := newSite(t, plan)
	begin := time.Now()
	t.Logf("seed %d: %d mails, %d workers, a storm of %v with %d events", *seedFlag, *mailsFlag, len(s.workers), *stormFlag, len(plan.events))

	ctx, cancel := context.WithTimeout(t.Context(), *stormFlag+*calmFlag)
	defer cancel()
	post := s.send(ctx, *mailsFlag, *stormFlag*9/10)
	s.weather(ctx)
	s.calm()
	if err := post.wait(); err != nil {
		t.Error(err)
	}
	t.Logf("calm after %v: %d mails are accepted by the queue, servers have taken %d copies", since(begin), s.books.enqueued(), s.books.copies())
	s.settle(ctx)
	s.end()
	s.judge()
	t.Logf("done after %v", since(begin))
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }
