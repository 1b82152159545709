package compose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

func BenchmarkCompose(b *testing.B) {
	const line = "The quick brown fox jumps over the lazy dog, and the dog is fine with that.\n"
	const german = "Sehr geehrte Frau Müller, anbei erhalten Sie die Rechnung über 12 Stühle für März.\n"
	for _, c := range []struct {
		name    string
		message rohrpost.Message
	}{
		{"ascii text", rohrpost.Message{Text: strings.Repeat(line, 4096/len(line))}},
		{"german text", rohrpost.Message{Text: strings.Repeat(german, 4096/len(german))}},
		{"german html", rohrpost.Message{Text: strings.Repeat(german, 20), HTML: "<p>" + strings.Repeat(german, 28)}},
		{"attachment", rohrpost.Message{Text: line, Attachments: []rohrpost.Attachment{{Name: "R-1.pdf", Content: make([]byte, 1<<20)}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := c.message
			m.Subject = "Ihre Rechnung 4711"
			m.To = []rohrpost.Address{{Name: "Kundin", Address: "kundin@example.org"}}
			in := compose.Input{
				Message: &m, MessageID: "<4711@rohrpost.example>", Date: time.Unix(1_700_000_000, 0),
				From:    rohrpost.Address{Name: "Service", Address: "service@acme.example"},
				ReplyTo: []rohrpost.Address{{Address: "max@acme.example"}},
			}
			b.ReportAllocs()
			for b.Loop() {
				out, err := compose.Compose(b.Context(), in)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(out)))
			}
		})
	}
}
