// Command soak lets one worker send for a long time through many accounts in turn,
// of which some never work, and says whether its memory and that of Redis stay flat.
// How to read it: bench/README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the sizes of a run.
type settings struct {
	length   time.Duration
	accounts int
	rate     int
	churn    int
	profiles string
}

// warmUp is how long memory may grow: five minutes, or half of a shorter run.
func (s *settings) warmUp() time.Duration { return min(5*time.Minute, s.length/2) }

// lineEvery is after how long a line is printed: a minute, or less in a shorter run.
func (s *settings) lineEvery() time.Duration {
	const lines = 12
	return min(time.Minute, max(s.length/lines, sampleEvery))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if len(os.Args) > 1 && os.Args[1] == childArg {
		err = child(ctx, os.Args[2:])
	} else {
		err = soak(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(ctx context.Context) error {
	var s settings
	flag.DurationVar(&s.length, "for", 30*time.Minute, "how long mails are sent")
	flag.IntVar(&s.accounts, "accounts", 100_000, "accounts, each of a tenant of its own; a tenth of them never work")
	flag.IntVar(&s.rate, "rate", 500, "mails a second, if the worker can take as many")
	flag.IntVar(&s.churn, "churn", 100, "how many of those that never work are deleted and replaced by new ones, each minute")
	flag.StringVar(&s.profiles, "profiles", "", "existing folder for heap profiles of the worker: after the warm-up, and at the end")
	flag.Parse()
	least := len(faults()) * tenth
	if s.accounts < least || s.rate < 1 || s.churn < 0 || s.length < time.Minute {
		return fmt.Errorf("-accounts: at least %d; -rate: at least 1; -churn: at least 0; -for: at least 1m", least)
	}
	st, err := newSite(ctx, s)
	if err != nil {
		return err
	}
	err = st.run(ctx)
	return errors.Join(err, st.close())
}

// run feeds the worker and looks at it until the time is over.
func (s *site) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.settings.length)
	defer cancel()
	fed := make(chan error, 1)
	go func() {
		defer cancel() // nothing is measured without mails
		fed <- s.feed(ctx)
	}()
	begin := time.Now()
	samples, err := s.watch(ctx)
	cancel()
	if err := errors.Join(err, <-fed); err != nil {
		return err
	}
	if time.Since(begin) < s.settings.length {
		return errors.New("interrupted: no verdict")
	}
	return s.judge(samples)
}
