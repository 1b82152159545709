package payload_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/payload"
)

func TestMessageID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id, known, decided string
	}{
		{payload.PendingMessageID("a.b"), "", "<a.b@acme.example>"},
		{"<a@vm>", "<a@vm>", "<a@vm>"}, // of an older version: it may have left
		{"<a@mail.acme.example>", "<a@mail.acme.example>", "<a@mail.acme.example>"},
		{"<a@[192.0.2.1]>", "<a@[192.0.2.1]>", "<a@[192.0.2.1]>"},
		{"", "", ""},
	} {
		if known := payload.KnownMessageID(tt.id); known != tt.known {
			t.Errorf("%q is known as %q", tt.id, known)
		}
		if decided := payload.Decide(tt.id, "acme.example"); decided != tt.decided {
			t.Errorf("%q becomes %q", tt.id, decided)
		}
	}
}
