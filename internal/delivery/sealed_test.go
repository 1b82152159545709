package delivery_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// newSealedHarness is one whose producer seals for its worker.
func newSealedHarness(t *testing.T) (h *harness, identity resolver.Secret) {
	t.Helper()
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	h = newHarness(t, func(o *delivery.Options) { o.Identities = identity })
	if h.mail, err = producer.New(h.rdb, producer.Options{Recipients: []string{recipient}}); err != nil {
		t.Fatal(err)
	}
	return h, identity
}

// TestSealedMail is delivered as it was given.
func TestSealedMail(t *testing.T) {
	t.Parallel()
	h, _ := newSealedHarness(t)
	id := h.send(rohrpost.Message{
		Tenant: "acme", To: to("a@example.org"), Subject: "Rechnung", HTML: strings.Repeat("<p>lang</p>", 10_000),
		Attachments: []rohrpost.Attachment{{Name: "R-1.pdf", Content: []byte("the invoice")}},
	})
	if _, payload := h.queued(id); bytes.Contains(payload, []byte("Rechnung")) || bytes.Contains(payload, []byte("R-1.pdf")) || !bytes.HasPrefix(payload, []byte(`{"v":3,`)) {
		t.Fatalf("payload %s", payload)
	}
	h.start()
	h.next("accepted")
	body := h.server.Mails()[0].Body
	for _, want := range []string{"Subject: Rechnung", "R-1.pdf", base64.StdEncoding.EncodeToString([]byte("the invoice")), "<p>lang</p>"} {
		if !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s is missing", want)
		}
	}
}

// An invitation and a whole message are sealed, too: nothing of them can be read in Redis.
func TestSealedContents(t *testing.T) {
	t.Parallel()
	const invitation = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n" +
		"DTSTART:20260101T000000Z\r\nORGANIZER:mailto:a@b.example\r\nSUMMARY:canary\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for name, tt := range map[string]struct {
		m    rohrpost.Message
		want []string
	}{
		"a calendar":      {rohrpost.Message{Text: "x", Calendar: &rohrpost.Calendar{Method: "REQUEST", Content: invitation}}, []string{"method=REQUEST", "SUMMARY:canary\r\n", "invite.ics"}},
		"a whole message": {rohrpost.Message{Raw: []byte("From: a@b.example\nSubject: canary\n\nthe canary\n")}, []string{"Subject: canary\r\n", "\r\n\r\nthe canary\r\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := newSealedHarness(t)
			tt.m.Tenant, tt.m.To = "acme", to("a@example.org")
			id := h.send(tt.m)
			_, written := h.queued(id)
			if bytes.Contains(written, []byte("canary")) || !bytes.HasPrefix(written, []byte(`{"v":4,"key":`)) {
				t.Errorf("payload %s", written)
			}
			for _, key := range h.blobs() {
				if content, err := h.rdb.Get(t.Context(), key).Bytes(); err == nil && bytes.Contains(content, []byte("canary")) {
					t.Errorf("%s can be read", key)
				}
			}
			h.start()
			h.next("accepted")
			body := h.server.Mails()[0].Body
			for _, want := range tt.want {
				if !bytes.Contains(body, []byte(want)) {
					t.Errorf("no %q in\n%s", want, body)
				}
			}
		})
	}
}

// TestSealedForOthers waits for a worker that has the key, and says so.
func TestSealedForOthers(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]func(t *testing.T) resolver.Secret{
		"no key": func(*testing.T) resolver.Secret { return resolver.Secret{} },
		"another key": func(t *testing.T) resolver.Secret {
			identity, _, err := seal.Generate()
			if err != nil {
				t.Fatal(err)
			}
			return identity
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := newSealedHarness(t)
			h.options.Identities = keys(t)
			h.start()
			id := h.send(rohrpost.Message{To: to("a@example.org")})
			h.next("deferred")
			e := h.entries(id)
			if len(e) != 1 || e[0].Category != "config_invalid" || e[0].Rule != 124 || !strings.Contains(e[0].Diagnostic, "secrets.identity_file") {
				t.Errorf("entries %+v", e)
			}
			if h.server.Sessions() != 0 || h.status(id).State != rohrpost.Deferred {
				t.Errorf("%d connections, %+v", h.server.Sessions(), h.status(id))
			}
		})
	}
}

// TestSealedForAnotherMail is content that somebody has moved into a mail of their
// own: it goes nowhere.
func TestSealedForAnotherMail(t *testing.T) {
	t.Parallel()
	h, _ := newSealedHarness(t)
	later := time.Now().Add(time.Hour)
	theirs := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org"), Subject: "secret", NotBefore: later})
	own := h.send(rohrpost.Message{Tenant: "evil", To: to("eve@evil.example"), Subject: "own", NotBefore: later})
	_, content := h.queued(theirs)
	job, payload := h.queued(own)
	head, _, _ := bytes.Cut(payload, []byte{'\n'})
	_, sealed, _ := bytes.Cut(content, []byte{'\n'})
	job.NotBefore, job.Priority = time.Time{}, rohrpost.Critical
	h.start()
	h.enqueue(queue.NewTask(job, append(append(head, '\n'), sealed...)))
	h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	h.eventually("the moved one has failed", func() bool { return len(h.entries(own)) > 0 })
	if e := h.entries(own); !strings.Contains(e[0].Diagnostic, "does not belong to this mail") || !e[0].Final {
		t.Errorf("entries %+v", e)
	}
	for _, m := range h.server.Mails() {
		if m.Recipients[0] == "eve@evil.example" {
			t.Errorf("sent: %s", m.Body)
		}
	}
}
