//go:build !race

package errorlog_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// heapMeter is a writer that notes the largest heap it has seen.
type heapMeter struct {
	lines, bytes int
	nextLook     int
	peak         uint64
}

func (m *heapMeter) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == '\n' {
			m.lines++
		}
	}
	if m.bytes += len(p); m.bytes >= m.nextLook {
		m.nextLook += 1 << 20
		m.peak = max(m.peak, heap())
	}
	return len(p), nil
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestLargeLog exports a million entries of several tenants in constant memory. It
// runs alone, and not under the race detector: their memory would be counted.
func TestLargeLog(t *testing.T) {
	const (
		tenants   = 4
		entries   = 1_000_000
		batch     = 2000
		apart     = 10 * time.Millisecond
		mostBytes = 64 << 20
	)
	f := setup(t, maxEntries(entries), func(o *errorlog.Options) { o.MaxBytes = 1 << 40 })
	begin := time.Now()
	for i := 0; i < entries; {
		list := make([]errorlog.Entry, batch)
		for j := range list {
			list[j] = errorlog.Entry{
				Tenant: "tenant " + strconv.Itoa(i%tenants), User: "max", JobID: "job-" + strconv.Itoa(i), MessageID: "<" + strconv.Itoa(i) + "@acme.example>",
				Attempt: 1, Account: "info@acme.example", Level: "tenant", Host: "smtp.acme.example:587", Stage: string(failure.StageRcpt),
				Code: 550, Enhanced: "5.1.1", Diagnostic: "The email account that you tried to reach does not exist: <kunde@example.org>",
				Category: "recipient_unknown", Class: string(failure.Permanent), Recipients: []string{"kunde@example.org"}, Final: true, Rule: 40,
				Time: f.clock.now().Add(time.Duration(i) * apart),
			}
			i++
		}
		f.append(t, list...)
	}
	t.Logf("%d entries appended in %v", entries, time.Since(begin).Round(time.Millisecond))
	memory := f.redis.InfoMap(t.Context(), "memory").Item("Memory", "used_memory")

	runtime.GC()
	before := heap()
	last := f.clock.now().Add((entries - 1) * apart)
	for filter, want := range map[errorlog.Filter]int{
		{AllTenants: true}: entries,
		{AllTenants: true, Category: "recipient_unknown", From: last.Add((1 - entries/10) * apart), OldestFirst: true}: entries / 10,
	} {
		begin = time.Now()
		var meter heapMeter
		sum, err := f.Export(t.Context(), &meter, filter, errorlog.JSONL, "en")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d entries, %d MB exported in %v; heap %.1f MiB before, %.1f MiB at its peak; Redis uses %s bytes",
			sum.Written, sum.Bytes/1e6, time.Since(begin).Round(time.Millisecond), float64(before)/(1<<20), float64(meter.peak)/(1<<20), memory)
		if sum.Written != int64(want) || meter.lines != want+1 {
			t.Errorf("%d entries, %d lines", sum.Written, meter.lines)
		}
		if meter.peak > before+mostBytes {
			t.Errorf("the heap grew by %d MiB", (meter.peak-before)>>20)
		}
	}
}
