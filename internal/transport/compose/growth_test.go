package compose_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

// hostile are the mails of which one holds a large text of some shape.
func hostile() map[string]func(size int) compose.Input {
	all := map[string]func(int) compose.Input{
		"header of recipients": func(n int) compose.Input {
			m := rohrpost.Message{Text: "x"}
			for i := range n / 40 {
				m.To = append(m.To, rohrpost.Address{Name: "Jörg Müller", Address: fmt.Sprintf("j%d@bücher.example", i)})
			}
			return input(m)
		},
		"header of attachments": func(n int) compose.Input {
			m := rohrpost.Message{Text: "x"}
			for i := range n / 100 {
				m.Attachments = append(m.Attachments, rohrpost.Attachment{Name: fmt.Sprintf("Rechnung für März %d.pdf", i)})
			}
			return input(m)
		},
		"header of headers": func(n int) compose.Input {
			m := rohrpost.Message{Text: "x"}
			for i := range n / 4000 {
				m.Headers = append(m.Headers, rohrpost.Header{Name: fmt.Sprintf("X-%d", i), Value: strings.Repeat("ü ", 1300)})
			}
			return input(m)
		},
		"header of subject": func(n int) compose.Input {
			return input(rohrpost.Message{Text: "x", Subject: strings.Repeat("ü", n/2)})
		},
		"file": func(n int) compose.Input {
			return input(rohrpost.Message{Attachments: []rohrpost.Attachment{{Name: "a.pdf", Content: make([]byte, n)}}})
		},
	}
	for _, s := range growthtest.Shapes() {
		all["text of "+s.Name] = func(n int) compose.Input { return input(rohrpost.Message{Text: s.Make(n)}) }
		all["branded "+s.Name] = func(n int) compose.Input { return worn(s.Make(n)) }
	}
	for _, s := range growthtest.Tags() {
		all["branded "+s.Name] = func(n int) compose.Input { return worn(s.Make(n)) }
	}
	return all
}

func worn(source string) compose.Input {
	in := input(rohrpost.Message{HTML: source})
	in.Branding = &branding.Look{Enabled: true, Company: "Acme GmbH"}
	return in
}

// TestWorkIsLinear: twice the mail is twice the work, whatever it is made of.
func TestWorkIsLinear(t *testing.T) {
	for name, mail := range hostile() {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				in := mail(size)
				return func() { _, _ = compose.Compose(context.Background(), in) } // a header may be refused
			})
		})
	}
}

// ending is a context that ends after some looks at it.
type ending struct {
	context.Context //nolint:containedctx // it counts the looks at this one
	looks           int
}

func (e *ending) Err() error {
	if e.looks--; e.looks < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// TestEndsWithItsContext: nothing is composed for an attempt that is over, and what
// is being composed stops, wherever it is.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for name, m := range map[string]rohrpost.Message{
		"text":       {Text: strings.Repeat("a line\n", size/7)},
		"one line":   {Text: strings.Repeat("x", size)},
		"umlauts":    {HTML: strings.Repeat("ü\n", size/3)},
		"attachment": {Text: "x", Attachments: []rohrpost.Attachment{{Name: "a.pdf", Content: make([]byte, size)}}},
	} {
		for _, looks := range []int{0, 1, 5, 20} {
			ctx := &ending{t.Context(), looks}
			out, err := compose.Compose(ctx, input(m))
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, compose.ErrMessage) || out != nil {
				t.Errorf("%s: after %d looks %d bytes and %v", name, looks, len(out), err)
			}
			if ctx.looks < -5 {
				t.Errorf("%s: went on for %d looks after the end", name, -ctx.looks)
			}
		}
	}
}

// BenchmarkHostile prints the growth. Above a megabyte a mail goes without its look.
func BenchmarkHostile(b *testing.B) {
	for name, mail := range hostile() {
		growthtest.Grow(b, name, func(b *testing.B, size int) {
			in := mail(size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := compose.Compose(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
