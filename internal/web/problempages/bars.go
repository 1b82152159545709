package problempages

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/overview"
)

// The measures of the picture, in its own units.
const (
	barsHeight = 60
	barWidth   = 10
	barGap     = 2
)

// bars are hours as a picture.
type bars struct {
	Width, Height int
	Columns       []column
}

// A column is an hour: what was accepted, and what failed for good on top of it.
type column struct {
	X, Width             int
	GoodY, GoodHeight    int
	BadY, BadHeight      int
	Label                string // for people: "14:00: 120 accepted, 3 failed"
	Accepted, FailedText string
	Hour                 time.Time
}

// drawBars scales the hours to the largest of them. What happened at all is at least one
// unit high.
func drawBars(hours []overview.Hour, zone *time.Location, say sayer, number numberer) bars {
	b := bars{Width: len(hours) * (barWidth + barGap), Height: barsHeight}
	var most int64
	for _, h := range hours {
		most = max(most, h.Accepted+h.Failed)
	}
	height := func(n int64) int {
		if n == 0 {
			return 0
		}
		return max(1, int(n*(barsHeight-2)/most))
	}
	for i, h := range hours {
		c := column{X: i * (barWidth + barGap), Width: barWidth, GoodHeight: height(h.Accepted), BadHeight: height(h.Failed), Hour: h.Time.In(zone)}
		c.GoodY = barsHeight - c.GoodHeight
		c.BadY = c.GoodY - c.BadHeight
		c.Accepted, c.FailedText = number(h.Accepted), number(h.Failed)
		c.Label = say("hour_label", c.Hour.Format("15:04"), c.Accepted, c.FailedText)
		b.Columns = append(b.Columns, c)
	}
	return b
}
