package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/producer"
)

const (
	toServer = 30 * time.Millisecond   // there and back
	toRedis  = 2700 * time.Microsecond // there and back
)

// farServer is the row of a server that is 30 ms away and takes four connections.
func (e *environment) farServer(ctx context.Context) error {
	const connections, part = 4, 100
	addr, err := e.startChild("delay", e.sink, (toServer / 2).String())
	if err != nil {
		return err
	}
	ways := []way{e.theLimit(), e.theBarePool()}
	if e.nodemailer {
		script, err := e.installNodemailer(ctx)
		if err != nil {
			return err
		}
		ways = append(ways, way{"Nodemailer, pooled, no queue", "Nodemailer", script.run})
	}
	return e.compare(ctx, fmt.Sprintf("%v to the server, %d connections", toServer, connections),
		course{mails: max(1, e.mails/part), connections: connections, server: addr}, append(ways, e.theWorker())...)
}

// A place is this environment as producers and workers see it whose Redis is so far
// away, and what was measured there. What measures asks Redis without delay.
type place struct {
	*environment
	rates  [][]float64       // by way
	sample [][]time.Duration // by way: of single calls
}

// farRedis is the row of a Redis that is 2.7 ms away, beside one without delay. Both
// are behind the same proxy.
func (e *environment) farRedis(ctx context.Context) error {
	near, closeNear, err := e.behind(0)
	if err != nil {
		return err
	}
	defer closeNear()
	far, closeFar, err := e.behind(toRedis / 2)
	if err != nil {
		return err
	}
	defer closeFar()
	for range e.rounds {
		for i, w := range redisWays() {
			for _, p := range []*place{near, far} {
				rate, calls, err := w.run(p.environment, ctx, max(100, e.mails/w.part))
				if err != nil {
					return fmt.Errorf("%s: %w", w.name, err)
				}
				p.rates[i] = append(p.rates[i], rate)
				p.sample[i] = append(p.sample[i], calls...)
			}
		}
	}
	ping, err := far.ping(ctx)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%v to Redis (PING: %v)", toRedis, ping.Round(100*time.Microsecond))
	fmt.Printf("%-44s  %8s  %18s  %8s  %8s\n", title, "mails/s", "of that without", "p50", "p99")
	for i, w := range redisWays() {
		rate, calls := median(far.rates[i]), far.sample[i]
		fmt.Printf("  %-42s  %8s  %18.2f", w.name, perSecond(rate), rate/median(near.rates[i]))
		e.figures.rate(fmt.Sprintf("%v to Redis: %s", toRedis, w.name), rate)
		if len(calls) > 0 {
			slices.Sort(calls)
			fmt.Printf("  %8v  %8v", percentile(calls, 50).Round(100*time.Microsecond), percentile(calls, 99).Round(100*time.Microsecond))
			e.figures.latency(fmt.Sprintf("%v to Redis: %s, p99", toRedis, w.name), percentile(calls, 99))
		}
		fmt.Println()
	}
	fmt.Println()
	return e.rdb.FlushAll(ctx).Err()
}

// A redisWay is something that asks Redis. It answers mails per second, and how long
// each call took if an application waits for it.
type redisWay struct {
	name string
	part int // of the mails
	run  func(e *environment, ctx context.Context, mails int) (float64, []time.Duration, error)
}

func redisWays() []redisWay {
	var ways []redisWay
	for _, w := range enqueueWays() {
		part := 4
		if w.goroutines == 1 && w.batch == 1 {
			part = 40
		}
		ways = append(ways, redisWay{"enqueue " + w.name, part, func(e *environment, ctx context.Context, mails int) (float64, []time.Duration, error) {
			return e.enqueue(ctx, w, mails)
		}})
	}
	return append(ways, redisWay{"deliver from a filled queue", 4, func(e *environment, ctx context.Context, mails int) (float64, []time.Duration, error) {
		took, err := e.drain(ctx, course{mails: mails, connections: e.connections, server: e.sink})
		return float64(mails) / took.Seconds(), nil, err
	}})
}

// behind is the place whose Redis is so far away in each direction.
func (e *environment) behind(oneWay time.Duration) (p *place, closeIt func(), err error) {
	addr, err := e.startChild("delay", "unix:"+e.socket, oneWay.String())
	if err != nil {
		return nil, nil, err
	}
	at := *e
	at.config.Redis.URL = "redis://" + addr
	rdb, err := redisconn.Open(redisconn.Options{URL: at.config.Redis.URL, PoolSize: poolSize})
	if err != nil {
		return nil, nil, err
	}
	if at.mail, err = producer.New(rdb, e.producerOptions()); err != nil {
		return nil, nil, err
	}
	ways := len(redisWays())
	return &place{&at, make([][]float64, ways), make([][]time.Duration, ways)}, func() { _ = rdb.Close() }, nil
}

// ping is the median of what a round trip takes.
func (e *environment) ping(ctx context.Context) (time.Duration, error) {
	rdb, err := redisconn.Open(redisconn.Options{URL: e.config.Redis.URL})
	if err != nil {
		return 0, err
	}
	defer func() { _ = rdb.Close() }()
	var took []time.Duration
	for range 101 {
		begun := time.Now()
		if err := rdb.Ping(ctx).Err(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return percentile(took, 50), nil
}
