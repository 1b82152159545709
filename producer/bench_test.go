package producer_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

func benchMail() rohrpost.Message {
	m := mail()
	m.Text = strings.Repeat("Guten Tag, anbei die Rechnung.\n", 132) // 4 KB
	return m
}

func BenchmarkSend(b *testing.B) {
	client, _ := newClient(b, producer.Options{})
	m := benchMail()
	b.ReportAllocs()
	for b.Loop() {
		mustSend(b, client, m)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func BenchmarkSendBatch100(b *testing.B) {
	client, _ := newClient(b, producer.Options{})
	const n = 100
	batch := make([]rohrpost.Message, n)
	for i := range batch {
		batch[i] = benchMail()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.SendBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}
