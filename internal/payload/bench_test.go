package payload_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// typicalJob is what most mails look like: 4 KB, one recipient.
func typicalJob() *payload.Job {
	return &payload.Job{
		Message: rohrpost.Message{
			ID: "k5m2q7w3e2r2t6y7u4i2o2p5a7", Tenant: "acme", Origin: rohrpost.Manual,
			User:    rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max@acme.example"},
			To:      []rohrpost.Address{{Name: "Kundin", Address: "kundin@example.org"}},
			Subject: "Ihre Rechnung", Text: strings.Repeat("Guten Tag, anbei die Rechnung.\n", 132),
			Expires: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
		},
		MessageID:  "<k5m2q7w3e2r2t6y7u4i2o2p5a7@acme.example>",
		EnqueuedAt: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
	}
}

func BenchmarkEncode(b *testing.B) {
	job := typicalJob()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := payload.Encode(job); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	encoded, err := payload.Encode(typicalJob())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(encoded)))
	for b.Loop() {
		if _, err := payload.Decode(encoded); err != nil {
			b.Fatal(err)
		}
	}
}
