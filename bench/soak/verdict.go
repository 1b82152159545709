package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// mostGrowth is how much larger something may be in the last third of the time after
// the warm-up than in the first, if it is to be called flat. The rate may not fall by
// more: a worker that does less and less would need no more memory.
const mostGrowth = 1.10

// A verdict is about one thing.
type verdict struct {
	thing
	first, last float64 // what is compared: of the first and of the last third
	growth      float64
	bad         bool
}

// A thing is something that must not grow; a rate must not fall.
type thing struct {
	name string
	kind kind
	of   func([]sample) float64
}

type kind int

const (
	count kind = iota
	size       // bytes
	rate       // per second
)

func things() []thing {
	med := func(value func(sample) float64) func([]sample) float64 {
		return func(part []sample) float64 { return medianOf(part, value) }
	}
	return []thing{
		{"resident memory of the worker", size, med(sample.workerRSS)},
		{"heap of the worker after collections", size, func(part []sample) float64 { return least(part, sample.workerHeap) }},
		{"goroutines of the worker", count, med(sample.routines)},
		{"resident memory of Redis", size, med(sample.redisMemory)},
		{"data of Redis", size, med(sample.redisData)},
		{"keys in Redis", count, med(sample.redisKeys)},
		{"mails accepted a second", rate, acceptedRate},
	}
}

// errNoSamples says that nothing can be compared.
var errNoSamples = errors.New("too few samples after the warm-up")

// compare judges the samples after the warm-up.
func compare(samples []sample, warmUp time.Duration) ([]verdict, error) {
	begin := slices.IndexFunc(samples, func(x sample) bool { return x.at >= warmUp })
	if begin < 0 || len(samples)-begin < 6 { // two for each third
		return nil, errNoSamples
	}
	after := samples[begin:]
	third := len(after) / 3
	var list []verdict
	for _, t := range things() {
		v := verdict{thing: t, first: t.of(after[:third]), last: t.of(after[len(after)-third:])}
		v.growth = v.last / v.first
		v.bad = v.growth > mostGrowth
		if t.kind == rate {
			v.bad = v.growth < 1/mostGrowth
		}
		list = append(list, v)
	}
	return list, nil
}

// judge prints what has grown. The error says that something is not flat.
func (s *site) judge(samples []sample) error {
	list, err := compare(samples, s.settings.warmUp())
	if err != nil {
		return err
	}
	fmt.Printf("\nafter the first %v: the last third of the time beside the first, medians (of the heap the least)\n", s.settings.warmUp())
	bad := false
	for _, v := range list {
		bad = bad || v.bad
		fmt.Println(v)
	}
	fmt.Printf("flat: at most %.2f times as much; of the rate at least %.2f of it\n", mostGrowth, 1/mostGrowth)
	if bad {
		return errors.New("not flat")
	}
	return nil
}

// String is a line of the table.
func (v verdict) String() string {
	first, last, word := fmt.Sprintf("%.0f", v.first), fmt.Sprintf("%.0f", v.last), "flat"
	if v.kind == size {
		const mib = 1 << 20
		first, last = fmt.Sprintf("%.1f MiB", v.first/mib), fmt.Sprintf("%.1f MiB", v.last/mib)
	}
	switch {
	case v.bad && v.kind == rate:
		word = "FALLS"
	case v.bad:
		word = "GROWS"
	}
	return fmt.Sprintf("  %-38s  %12s  %12s  %6.3f  %s", v.name, first, last, v.growth, word)
}

// acceptedRate is that from the first sample to the last.
func acceptedRate(part []sample) float64 {
	first, last := part[0], part[len(part)-1]
	return (last.accepted - first.accepted) / (last.at - first.at).Seconds()
}

func medianOf(part []sample, value func(sample) float64) float64 {
	values := each(part, value)
	slices.Sort(values)
	return values[len(values)/2]
}

func least(part []sample, value func(sample) float64) float64 { return slices.Min(each(part, value)) }

func each(part []sample, value func(sample) float64) []float64 {
	values := make([]float64, len(part))
	for i, x := range part {
		values[i] = value(x)
	}
	return values
}
