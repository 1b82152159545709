package web

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// TestSummaryOfSealed is made without a key: of what is sealed there is but a size.
func TestSummaryOfSealed(t *testing.T) {
	t.Parallel()
	payload, err := rohrpost.EncodeJob(&rohrpost.Job{
		Message: rohrpost.Message{ID: "a", Tenant: "acme", To: []rohrpost.Address{{Address: "canary@c.example"}}, Attachments: []rohrpost.Attachment{{Digest: "d", Size: 1234}}},
		Sealed:  &rohrpost.Sealed{Key: "age2:0123abcd:a2V5", Content: []byte("canary\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := summary("", payload)
	if !strings.HasPrefix(got, "v3 a: ") || !strings.HasSuffix(got, "1 recipients, sealed 7 bytes, 1 attachments of 1234 bytes") || strings.Contains(got, "canary") {
		t.Errorf("%q", got)
	}
}
