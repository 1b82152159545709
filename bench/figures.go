package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// A figure is one measured value. More of it is better, unless Less says that less is.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Less  bool    `json:"less,omitempty"`
}

// figures are all of a run, in order.
type figures struct{ list []figure }

// rate notes mails per second.
func (f *figures) rate(name string, value float64) {
	f.list = append(f.list, figure{Name: name, Value: value, Unit: "mails/s"})
}

// latency notes a duration.
func (f *figures) latency(name string, value time.Duration) {
	f.list = append(f.list, figure{Name: name, Value: value.Seconds() * 1000, Unit: "ms", Less: true})
}

// share notes a percentage of a core.
func (f *figures) share(name string, value float64) {
	f.list = append(f.list, figure{Name: name, Value: value, Unit: "%", Less: true})
}

// write writes them to a file, if it has a name.
func (f *figures) write(file string) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(f.list, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// percentile is the p-th of sorted durations.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// perSecond shows a rate, a small one with a decimal.
func perSecond(rate float64) string {
	if rate < 100 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}
