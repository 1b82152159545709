package dashboard

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// TestSummaryOfSealed is made without a key: of what is sealed there is but a size.
func TestSummaryOfSealed(t *testing.T) {
	t.Parallel()
	content, err := payload.Encode(&payload.Job{
		Message: rohrpost.Message{ID: "a", Tenant: "acme", To: []rohrpost.Address{{Address: "canary@c.example"}}},
		Files:   []payload.File{{Digest: "d", Size: 1234}},
		Sealed:  &payload.Sealed{Key: "age2:0123abcd:a2V5", Content: []byte("canary\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := summary("", content)
	if !strings.HasPrefix(got, "v3 a: ") || !strings.HasSuffix(got, "1 recipients, sealed 7 bytes, 1 attachments of 1234 bytes") || strings.Contains(got, "canary") {
		t.Errorf("%q", got)
	}
}
