package producer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
)

func sealing(t *testing.T) producer.Options {
	t.Helper()
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return producer.Options{Recipients: []string{recipient}}
}

// TestSealed mails say nothing to those without a key, who can still find, move and
// end them. The same file is stored once.
func TestSealed(t *testing.T) {
	t.Parallel()
	c, rdb := newClient(t, sealing(t))
	m := mail()
	m.ID, m.Subject, m.NotBefore = "canary-free", "canary", time.Now().Add(time.Hour)
	m.Text, m.HTML = strings.Repeat("canary ", 10_000), "<p>canary"
	m.Attachments = []rohrpost.Attachment{{Name: "canary.pdf", Content: []byte("canary content")}}
	id := mustSend(t, c, m).ID
	if again := mustSend(t, c, m); !again.Duplicate {
		t.Errorf("the same id again: %+v", again)
	}
	other := m
	other.ID, other.Tenant = "other", "globex"
	mustSend(t, c, other)
	for _, k := range rdb.Keys(t.Context(), "*").Val() {
		if dump := rdb.Dump(t.Context(), k).Val(); strings.Contains(strings.ReplaceAll(dump, "canary-free", ""), "canary") {
			t.Errorf("%s is readable", k)
		}
	}
	if n := len(blobKeys(t, rdb)); n != 2 {
		t.Errorf("%d blobs of a text and a file that two mails have", n)
	}
	job := queued(t, rdb, "default", id)
	if job.Sealed == nil || job.Subject+job.Text+job.HTML != "" || job.Files[0].Name != "" || job.Files[0].Size != 14 {
		t.Errorf("%+v", job)
	}
	keyless, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := keyless.Reschedule(t.Context(), id, time.Now().Add(2*time.Hour)); err != nil {
		t.Errorf("rescheduled without a key: %v", err)
	}
	if err := keyless.Cancel(t.Context(), id); err != nil || status(t, keyless, id).State != rohrpost.Canceled {
		t.Errorf("canceled without a key: %v", err)
	}
	if m.Subject != "canary" || m.Attachments[0].Name != "canary.pdf" || string(m.Attachments[0].Content) != "canary content" {
		t.Errorf("the message was changed: %+v", m)
	}
}

func TestSealedForNonsense(t *testing.T) {
	t.Parallel()
	if _, err := producer.New(redistest.Start(t).Client(t), producer.Options{Recipients: []string{"age1nonsense"}}); err == nil || !strings.Contains(err.Error(), "age1nonsense") {
		t.Errorf("%v", err)
	}
}
