package main

import (
	"errors"
	"testing"
	"time"
)

// TestCompare: what grows and a rate that falls are named, what only swings is not, and nothing before the end
// of the warm-up counts.
func TestCompare(t *testing.T) {
	t.Parallel()
	const warmUp = time.Minute
	var samples []sample
	for n := range 120 {
		x := sample{at: time.Duration(n) * 5 * time.Second, rss: 100, heap: 50, goroutines: 80, redisRSS: 300, redisUsed: 200, keys: 1000}
		if x.at < warmUp {
			x.rss, x.keys = 1, 1
		}
		if n%2 == 0 {
			x.heap = 90 // between collections
		}
		x.goroutines += float64(n)
		if n > 0 {
			x.accepted = samples[n-1].accepted + float64(500-3*n)
		}
		samples = append(samples, x)
	}
	list, err := compare(samples, warmUp)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(things()) {
		t.Fatalf("%d verdicts", len(list))
	}
	for _, v := range list {
		if want := v.name == "goroutines of the worker" || v.kind == rate; v.bad != want {
			t.Errorf("want bad: %v:%v", want, v)
		}
	}
	if _, err := compare(samples[:12], warmUp); !errors.Is(err, errNoSamples) {
		t.Errorf("all within the warm-up: %v", err)
	}
}

// TestAccounts: a tenth never works, all faults among them, and each dead server is
// another one.
func TestAccounts(t *testing.T) {
	t.Parallel()
	s := &site{ports: map[fault]int{}}
	counts, hosts := map[fault]int{}, map[string]bool{}
	for n := range 1000 {
		for generation := range 2 {
			a := account{n, generation}
			counts[a.fault()]++
			if a.fault() == deadServer {
				hosts[s.entry(a).Account.SMTP.Host] = true
			}
		}
	}
	for _, f := range faults() {
		if counts[f] != 50 {
			t.Errorf("%d accounts have the fault %s", counts[f], f)
		}
	}
	if counts[""] != 1800 || len(hosts) != counts[deadServer] {
		t.Errorf("%d accounts work, %d dead servers", counts[""], len(hosts))
	}
}
