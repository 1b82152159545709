package rawmail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/rawmail"
)

// hostile are messages of which one place is large and of some shape.
func hostile() map[string]func(size int) []byte {
	const mixed = head + "Content-Type: multipart/mixed; boundary=a\n\n--a\n"
	deep := func(body func(int) string) func(int) []byte {
		var b strings.Builder
		b.WriteString(head)
		for i := range 15 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%060d\n\n--%060d\n", i, i)
		}
		return func(n int) []byte { return []byte(b.String() + "\n" + body(n)) }
	}
	all := map[string]func(int) []byte{
		"delimiters, nearly": deep(func(n int) string { return strings.Repeat(fmt.Sprintf("--%059d-\n", 0), n/63) }),
		"dashes":             deep(func(n int) string { return strings.Repeat("--\n", n/3) }),
		"parts":              func(n int) []byte { return []byte(mixed + strings.Repeat("\nü\n--a\n", min(n/8, 999))) },
		"recipients":         func(n int) []byte { return []byte(head + "To: x@y.z" + strings.Repeat(",\n a@b.c", n/9) + "\n\n") },
		"fields": func(n int) []byte {
			return []byte(head + strings.Repeat("X-A: "+strings.Repeat("b", n/2000)+"\n", 900) + "\n")
		},
		"bare LF": func(n int) []byte { return []byte(head + "\n" + strings.Repeat("\n", n)) },
		"signature": func(n int) []byte {
			return []byte(head + "DKIM-Signature: h=" + strings.Repeat("a\n :", n/4) + ";\n\n")
		},
		"signature of tags": func(n int) []byte { return []byte(head + "DKIM-Signature: " + strings.Repeat("h=x;\n ", n/6) + "\n\n") },
		"Content-Type": func(n int) []byte {
			return []byte(mixed + "Content-Type: a/b" + strings.Repeat(";\n p*0=x", n/9) + "\n\nx")
		},
		"Content-Type of many": func(n int) []byte {
			return []byte(mixed + "Content-Type: a/b;\n " + strings.ReplaceAll(growthtest.Keys(n/2), ",", ";\n ") + "\n\nx")
		},
	}
	for _, s := range growthtest.Shapes() {
		body := func(n int) string { return strings.ReplaceAll(strings.ReplaceAll(s.Make(n), "\r\n", "\n"), "\r", "\n") }
		for name, label := range map[string]string{
			"text": "", "file": "Content-Type: application/pdf\n", "quoted-printable": "Content-Transfer-Encoding: quoted-printable\n",
			"base64": "Content-Transfer-Encoding: base64\n", "binary": "Content-Type: a/b\nContent-Transfer-Encoding: binary\n",
		} {
			all[name+" of "+s.Name] = func(n int) []byte { return []byte(head + label + "\n" + body(n) + strings.Repeat("x", 999)) }
		}
		all["signed "+s.Name] = func(n int) []byte {
			return []byte(head + "Content-Type: multipart/signed; boundary=a\n\n--a\n\n" + body(n) + "\n--a\n\n--a--\n")
		}
		all["Subject of "+s.Name] = func(n int) []byte { return []byte(head + "Subject: " + folded(body(n)) + "\n\n") }
		all["To of "+s.Name] = func(n int) []byte { return []byte(head + "To: " + folded(body(n)) + " <a@b.example>\n\n") }
	}
	return all
}

// folded has lines that a header may have.
func folded(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(len(s), 900)
		b.WriteString(strings.ReplaceAll(s[:n], "\n", "") + "x\n y")
		s = s[n:]
	}
	return b.String()
}

// TestWorkIsLinear: twice the mail is twice the work, whatever it is made of.
func TestWorkIsLinear(t *testing.T) {
	for name, mail := range hostile() {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				raw := mail(size)
				return func() { _, _ = rawmail.Edit(context.Background(), raw, options()) } // it may be refused
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

// TestEndsWithItsContext: work stops, wherever it is.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	for name, body := range map[string]string{
		"lines":    strings.Repeat("a line\n", size/7),
		"one line": strings.Repeat("x", size),
		"umlauts":  strings.Repeat("ü", size/2),
	} {
		for _, looks := range []int{0, 1, 2, 5} {
			ctx := &ending{t.Context(), looks}
			out, err := rawmail.Edit(ctx, []byte(head+"\n"+body), options())
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, rawmail.ErrMessage) || out != nil {
				t.Errorf("%s: after %d looks %d bytes and %v", name, looks, len(out), err)
			}
			if ctx.looks < -5 {
				t.Errorf("%s: went on for %d looks after the end", name, -ctx.looks)
			}
		}
	}
}

// BenchmarkHostile prints the growth.
func BenchmarkHostile(b *testing.B) {
	for name, mail := range hostile() {
		growthtest.Grow(b, name, func(b *testing.B, size int) {
			raw := mail(size)
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				_, _ = rawmail.Edit(b.Context(), raw, options()) // it may be refused
			}
		})
	}
}
