package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sampleEvery is how often worker and Redis are looked at. Metrics cost something, too:
// a Prometheus asks every 15 seconds.
const sampleEvery = 5 * time.Second

// A sample is what they had at one moment. Sizes are bytes.
type sample struct {
	at                        time.Duration // since the begin
	rss, heap, goroutines     float64       // of the worker
	redisRSS, redisUsed, keys float64
	accepted                  float64 // mails, since the begin
	tasksHeld                 float64 // in the queues, failed ones included
}

// watch takes samples, and prints a line of the medians now and then, until the
// context ends.
func (s *site) watch(ctx context.Context) ([]sample, error) {
	fmt.Printf("%8s  %10s  %10s  %10s  %10s  %10s  %10s  %8s  %8s\n", "", "worker", "its heap", "goroutines", "redis", "its data", "its keys", "mails/s", "tasks")
	begin, line := time.Now(), 0
	var all []sample
	warm := false
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return all, s.profile(context.WithoutCancel(ctx), "end")
		case <-tick.C:
		}
		x, err := s.sample(ctx, time.Since(begin))
		if err != nil {
			if ctx.Err() != nil {
				continue
			}
			return nil, err
		}
		all = append(all, x)
		if !warm && x.at >= s.settings.warmUp() {
			warm = true
			if err := s.profile(ctx, "warm"); err != nil {
				return nil, err
			}
		}
		if int(x.at/s.settings.lineEvery()) > line {
			line = int(x.at / s.settings.lineEvery())
			printLine(all, s.settings.lineEvery())
		}
	}
}

// printLine shows the last samples. Of the heap it is the least: what is left after a
// collection.
func printLine(all []sample, length time.Duration) {
	last := all[len(all)-1]
	part := all[slices.IndexFunc(all, func(x sample) bool { return x.at > last.at-length }):]
	const mib = 1 << 20
	rate := 0.0
	if took := last.at - part[0].at; took > 0 {
		rate = (last.accepted - part[0].accepted) / took.Seconds()
	}
	fmt.Printf("%8v  %6.1f MiB  %6.1f MiB  %10.0f  %6.1f MiB  %6.1f MiB  %10.0f  %8.0f  %8.0f\n", last.at.Round(time.Second),
		medianOf(part, sample.workerRSS)/mib, least(part, sample.workerHeap)/mib, medianOf(part, sample.routines),
		medianOf(part, sample.redisMemory)/mib, medianOf(part, sample.redisData)/mib, medianOf(part, sample.redisKeys), rate, medianOf(part, sample.tasks))
}

func (x sample) workerRSS() float64   { return x.rss }
func (x sample) workerHeap() float64  { return x.heap }
func (x sample) routines() float64    { return x.goroutines }
func (x sample) redisMemory() float64 { return x.redisRSS }
func (x sample) redisData() float64   { return x.redisUsed }
func (x sample) redisKeys() float64   { return x.keys }
func (x sample) tasks() float64       { return x.tasksHeld }

// sample asks worker and Redis.
func (s *site) sample(ctx context.Context, at time.Duration) (sample, error) {
	x := sample{at: at}
	body, err := get(ctx, s.metrics)
	if err != nil {
		return x, err
	}
	defer func() { _ = body.Close() }()
	into := map[string]*float64{
		"process_resident_memory_bytes": &x.rss, "go_memstats_heap_alloc_bytes": &x.heap, "go_goroutines": &x.goroutines,
		"rohrpost_mails_accepted_total": &x.accepted, "rohrpost_queue_tasks": &x.tasksHeld,
	}
	for lines := bufio.NewScanner(body); lines.Scan(); {
		series, text, _ := strings.Cut(lines.Text(), " ")
		name, _, _ := strings.Cut(series, "{")
		if field := into[name]; field != nil {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return x, err
			}
			*field += value
		}
	}
	info, err := s.redis.InfoMap(ctx, "memory").Result()
	if err != nil {
		return x, err
	}
	keys, err := s.redis.DBSize(ctx).Result()
	x.keys = float64(keys)
	used, usedErr := strconv.ParseFloat(info["Memory"]["used_memory"], 64)
	rss, rssErr := strconv.ParseFloat(info["Memory"]["used_memory_rss"], 64)
	x.redisUsed, x.redisRSS = used, rss
	return x, errors.Join(err, usedErr, rssErr)
}

// profile keeps a heap profile of the worker, if one was asked for.
func (s *site) profile(ctx context.Context, name string) error {
	if s.settings.profiles == "" {
		return nil
	}
	body, err := get(ctx, s.profiles+"/heap?gc=1")
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	f, err := os.Create(filepath.Join(s.settings.profiles, "heap."+name))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}

func get(ctx context.Context, url string) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: %s", url, resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}
