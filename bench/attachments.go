package main

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

const attachmentName = "Rechnung.pdf"

// attachments is the row of mails of 4 KB of text and 200 KB attached.
func (e *environment) attachments(ctx context.Context) error {
	const size, part = 200 << 10, 20
	var seed [32]byte
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(noise)
	c := course{mails: max(1, e.mails/part), connections: e.connections, server: e.sink}
	c.attachment = func(n int) []byte {
		own := append([]byte(nil), noise...)
		binary.BigEndian.PutUint64(own, uint64(n))
		return own
	}
	shared := func(ctx context.Context, c course) (took time.Duration, err error) {
		c.attachment = func(int) []byte { return noise }
		return e.drain(ctx, c)
	}
	return e.compare(ctx, "200 KB attached", c, e.theLimit(), e.theBarePool(),
		way{name: "rohrpost, each mail another attachment", run: e.drain},
		way{name: "rohrpost, the same one in all mails", run: shared})
}
