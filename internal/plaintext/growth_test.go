package plaintext_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/plaintext"
)

func repeat(s string) func(int) string {
	return func(n int) string { return strings.Repeat(s, max(1, n/len(s))) }
}

// hostile are shapes that a text of tags alone does not have.
func hostile() []growthtest.Shape {
	return append(append(growthtest.Shapes(), growthtest.Tags()...), []growthtest.Shape{
		{Name: "links", Make: repeat("<a href=http://a.b/c>x</a>")},
		{Name: "links without an end", Make: repeat("<a href=http://a.b/c>x")},
		{Name: "one link, long", Make: func(n int) string { return `<a href="http://` + strings.Repeat("x", n) + `">x</a>` }},
		{Name: "link of a long text", Make: func(n int) string { return `<a href="http://x.y/">` + strings.Repeat("x ", n/2) + "</a>" }},
		{Name: "links in a table", Make: repeat("<tr><td><a href=http://a.b>x</a><td>y")},
		{Name: "huge table", Make: func(n int) string { return "<table>" + repeat("<tr><td>x<td>y<td>z")(n) }},
		{Name: "one row", Make: func(n int) string { return "<table><tr>" + repeat("<td>x")(n) }},
		{Name: "tables in rows of two", Make: repeat("<table><tr><td>x<td>")},
		{Name: "quotes in quotes", Make: repeat("<blockquote>x")},
		{Name: "lists in lists", Make: repeat("<ol><li>x")},
		{Name: "ends across", Make: repeat("<div><span><p></div></span>x")},
		{Name: "table ends", Make: repeat("<table></div></td></tr>")},
		{Name: "unknown elements", Make: repeat("<o:p><x-y>x</o:p>")},
		{Name: "hidden", Make: repeat("<p hidden>x")},
		{Name: "tiny", Make: repeat("<b style=font-size:0>x")},
		{Name: "styles", Make: func(n int) string { return `<p style="` + strings.Repeat("display:;", n/9) + `">x` }},
		{Name: "breaks", Make: repeat("<br>")},
		{Name: "blanks kept", Make: func(n int) string { return "<pre>" + strings.Repeat(" ", n) + "x" }},
		{Name: "line ends kept", Make: func(n int) string { return "<pre>" + strings.Repeat(" \n", n/2) + "x" }},
		{Name: "joiners", Make: repeat("ü\u200d")},
		{Name: "zero-width", Make: repeat("\u200b")},
		{Name: "references", Make: repeat("&CounterClockwiseContourIntegral;")},
		{Name: "digits of a reference", Make: func(n int) string { return "&#" + strings.Repeat("0", n) + "65;" }},
		{Name: "text area", Make: repeat("<textarea></textare")},
		{Name: "pictures", Make: repeat("<img alt=x>")},
	}...)
}

// TestFromHTMLLinear: whoever can have a mail sent holds no worker with it.
func TestFromHTMLLinear(t *testing.T) { //nolint:paralleltest // it measures
	const size = 128 << 10
	for _, shape := range hostile() {
		t.Run(shape.Name, func(t *testing.T) {
			growthtest.Linear(t, size, func(n int) func() {
				source := shape.Make(n)
				return func() {
					text, err := plaintext.FromHTML(context.Background(), source)
					if err != nil || len(text) > 8*len(source)+64 {
						t.Errorf("%d bytes of %d, %v", len(text), len(source), err)
					}
				}
			})
		})
	}
}

// ending is a context that ends after some looks at it.
type ending struct {
	context.Context //nolint:containedctx // it counts the looks at this one
	looks           int
	last            time.Time
	longest         time.Duration
}

func (e *ending) Err() error {
	now := time.Now()
	if !e.last.IsZero() {
		e.longest = max(e.longest, now.Sub(e.last))
	}
	e.last = now
	if e.looks--; e.looks < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestEndsWithItsContext: also in the middle of one text, one tag or one comment.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	const size = 2 << 20
	for _, shape := range hostile() {
		source := shape.Make(size)
		for _, looks := range []int{0, 1, 5, 20} {
			ctx := &ending{Context: t.Context(), looks: looks}
			text, err := plaintext.FromHTML(ctx, source)
			if !errors.Is(err, context.DeadlineExceeded) || text != "" {
				t.Errorf("%s: after %d looks %d bytes and %v", shape.Name, looks, len(text), err)
			}
			if ctx.looks < -2 {
				t.Errorf("%s: went on for %d looks after the end", shape.Name, -ctx.looks)
			}
		}
	}
}

// BenchmarkHostile prints the growth, and the longest time between two looks at the context.
func BenchmarkHostile(b *testing.B) {
	for _, shape := range hostile() {
		growthtest.Grow(b, shape.Name, func(b *testing.B, size int) {
			source := shape.Make(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			ctx := &ending{Context: b.Context(), looks: 1 << 60}
			for b.Loop() {
				ctx.last = time.Time{}
				if _, err := plaintext.FromHTML(ctx, source); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(ctx.longest.Microseconds())/1000, "ms/look")
		})
	}
}
