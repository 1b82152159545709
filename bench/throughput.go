package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const drainLimit = 10 * time.Minute

// throughput runs the three ways in turn, so that a slow phase of the machine
// hits all of them.
func (e *environment) throughput(ctx context.Context) error {
	var source, pool, worker []float64
	for range e.rounds {
		for _, way := range []struct {
			rates *[]float64
			run   func(context.Context) (time.Duration, error)
		}{{&source, e.smtpSource}, {&pool, e.barePool}, {&worker, e.drain}} {
			debug.SetGCPercent(100) // as any program has it; a worker sets its own
			took, err := way.run(ctx)
			if err != nil {
				return err
			}
			*way.rates = append(*way.rates, float64(e.mails)/took.Seconds())
		}
	}
	limit, bare, ours := median(source), median(pool), median(worker)
	fmt.Printf("throughput                              mails/s   of smtp-source   of bare pool\n")
	fmt.Printf("  smtp-source, connections kept         %7.0f            1.00\n", limit)
	fmt.Printf("  go-mail pool, no queue, no guarantee  %7.0f            %.2f           1.00\n", bare, bare/limit)
	fmt.Printf("  rohrpost from a filled queue          %7.0f            %.2f           %.2f\n\n", ours, ours/limit, ours/bare)
	return nil
}

// smtpSource is the limit: a C program that sends prepared mails.
func (e *environment) smtpSource(ctx context.Context) (time.Duration, error) {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, find("smtp-source"), "-d", "-s", strconv.Itoa(e.connections), "-m", strconv.Itoa(e.mails),
		"-l", "4096", e.sink).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("smtp-source: %w: %s", err, out)
	}
	return time.Since(begun), nil
}

// barePool is go-mail as one would use it: kept connections, a new message each.
func (e *environment) barePool(ctx context.Context) (time.Duration, error) {
	host, portText, err := net.SplitHostPort(e.sink)
	if err != nil {
		return 0, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return 0, err
	}
	var left atomic.Int64
	left.Store(int64(e.mails))
	var group sync.WaitGroup
	failed := make(chan error, e.connections)
	begun := time.Now()
	for range e.connections {
		group.Go(func() {
			if err := sendAll(ctx, host, port, &left); err != nil {
				failed <- err
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return 0, fmt.Errorf("go-mail: %w", err)
	default:
		return time.Since(begun), nil
	}
}

func sendAll(ctx context.Context, host string, port int, left *atomic.Int64) error {
	client, err := mail.NewClient(host, mail.WithPort(port), mail.WithTLSPolicy(mail.NoTLS), mail.WithHELO("bench.example"))
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	text := fourKB()
	for left.Add(-1) >= 0 {
		m := mail.NewMsg()
		if err := m.FromFormat("Platform", "noreply@platform.example"); err != nil {
			return err
		}
		if err := m.To("kunde@example.org"); err != nil {
			return err
		}
		m.Subject("Ihre Rechnung")
		m.SetBodyString(mail.TypeTextPlain, text)
		if err := client.Send(m); err != nil {
			return err
		}
	}
	return client.Close()
}

// fill enqueues mails for one drain.
func (e *environment) fill(ctx context.Context, mails int) error {
	const batch = 500
	for sent := 0; sent < mails; sent += batch {
		messages := make([]rohrpost.Message, min(batch, mails-sent))
		for i := range messages {
			messages[i] = message()
		}
		if _, err := e.mail.SendBatch(ctx, messages); err != nil {
			return err
		}
	}
	return nil
}

// drain fills the queue, starts a worker and waits until nothing is left.
func (e *environment) drain(ctx context.Context) (time.Duration, error) {
	if err := e.rdb.FlushAll(ctx).Err(); err != nil {
		return 0, err
	}
	if err := e.fill(ctx, e.mails); err != nil {
		return 0, err
	}
	return e.work(ctx, e.mails)
}

// work runs a worker until it has sent so many mails.
func (e *environment) work(ctx context.Context, mails int) (time.Duration, error) {
	before := e.processed(ctx)
	if e.profile != "" {
		f, err := os.Create(e.profile)
		if err != nil {
			return 0, err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	begun := time.Now()
	stop, err := e.worker(ctx)
	if err != nil {
		return 0, err
	}
	err = poll(ctx, drainLimit, 5*time.Millisecond, "the worker", func() bool { return e.processed(ctx)-before >= int64(mails) })
	took := time.Since(begun)
	if stopErr := stop(); err == nil {
		err = stopErr
	}
	return took, err
}

// processed is asynq's count of acknowledged tasks.
func (e *environment) processed(ctx context.Context) int64 {
	n, _ := e.rdb.Get(ctx, queue.Key("default", "processed")).Int64() // no counter yet: 0
	return n
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
