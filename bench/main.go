// Command bench measures rohrpost end to end, beside a bare go-mail connection
// pool without a queue and beside Postfix's smtp-source, all into the same
// sink in one run. How to read it: bench/README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// settings are the sizes of a run.
type settings struct {
	rows        string
	mails       int
	rounds      int
	connections int
	deep        int
	idleSeconds int
	profile     string
	seal        bool
	nodemailer  bool
	json        string
	before      string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		exit(child(os.Args[2:]))
	}
	var s settings
	flag.StringVar(&s.rows, "rows", strings.Join(rowNames(), ","), "what to measure")
	flag.IntVar(&s.mails, "mails", 20_000, "mails a round; rows whose mails are large or far away take a fixed part of them")
	flag.IntVar(&s.rounds, "rounds", 3, "rounds; medians are printed")
	flag.IntVar(&s.connections, "connections", 25, "connections to the sink")
	flag.IntVar(&s.deep, "deep", 0, "of row depth: also drain from a queue that holds so many mails (needs 6 KB of memory each)")
	flag.IntVar(&s.idleSeconds, "idle", 5, "of row idle: seconds of idling whose CPU time is measured")
	flag.StringVar(&s.profile, "profile", "", "file for a CPU profile of the worker draining the queue; choose one row")
	flag.BoolVar(&s.seal, "seal", false, "seal mails, as payload.seal does")
	flag.BoolVar(&s.nodemailer, "nodemailer", false, "of row far: also Nodemailer's pool, which npm installs into a temporary folder")
	flag.StringVar(&s.json, "json", "", "also write the figures to this file")
	flag.StringVar(&s.before, "before", "", "commit to compare with: both are built, and run in turn")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := s.check()
	switch {
	case err != nil:
	case s.before != "":
		err = pair(ctx, s)
	default:
		err = run(ctx, s)
	}
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A row is one part of a run.
type row struct {
	name string
	run  func(*environment, context.Context) error
}

func rows() []row {
	return []row{
		{"throughput", (*environment).throughput},
		{"enqueue", (*environment).enqueueing},
		{"idle", (*environment).idling},
		{"depth", (*environment).depth},
		{"attachments", (*environment).attachments},
		{"tls", (*environment).overTLS},
		{"far", (*environment).farServer},
		{"redis", (*environment).farRedis},
		{"people", (*environment).beside},
	}
}

func rowNames() []string {
	var names []string
	for _, r := range rows() {
		names = append(names, r.name)
	}
	return names
}

// has reports whether a row was asked for.
func (s *settings) has(name string) bool { return slices.Contains(strings.Split(s.rows, ","), name) }

func (s *settings) check() error {
	for name := range strings.SplitSeq(s.rows, ",") {
		if !slices.Contains(rowNames(), name) {
			return fmt.Errorf("-rows: there is no row %q; there are %s", name, strings.Join(rowNames(), ", "))
		}
	}
	return nil
}

func run(ctx context.Context, s settings) error {
	e, err := newEnvironment(ctx, s)
	if err != nil {
		return err
	}
	defer e.close()
	fmt.Printf("%d mails of 4 KB a round, %d rounds, %d connections\n\n", s.mails, s.rounds, s.connections)
	for _, r := range rows() {
		if !s.has(r.name) {
			continue
		}
		if err := r.run(e, ctx); err != nil {
			return fmt.Errorf("row %s: %w", r.name, err)
		}
	}
	return e.figures.write(s.json)
}
