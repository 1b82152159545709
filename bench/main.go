// Command bench measures rohrpost end to end, beside a bare go-mail connection
// pool without a queue and beside Postfix's smtp-source, all into the same
// smtp-sink in one run. How to read it: bench/README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// settings are the sizes of a run.
type settings struct {
	mails       int
	rounds      int
	connections int
	deep        int
	idleSeconds int
	profile     string
	seal        bool
}

func main() {
	var s settings
	flag.IntVar(&s.mails, "mails", 20_000, "mails a round")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds; medians are printed")
	flag.IntVar(&s.connections, "connections", 25, "connections to the sink")
	flag.IntVar(&s.deep, "deep", 0, "also drain from a queue that holds so many mails (needs 6 KB of memory each)")
	flag.IntVar(&s.idleSeconds, "idle", 5, "seconds of idling whose CPU time is measured")
	flag.StringVar(&s.profile, "profile", "", "file for a CPU profile of the worker draining the queue")
	flag.BoolVar(&s.seal, "seal", false, "seal mails, as payload.seal does")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	e, err := newEnvironment(ctx, s)
	if err != nil {
		return err
	}
	defer e.close()
	fmt.Printf("%d mails of 4 KB a round, %d rounds, %d connections, into one smtp-sink\n\n", s.mails, s.rounds, s.connections)
	for _, part := range []func(context.Context) error{e.throughput, e.enqueueing, e.idling, e.depth} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}
