package delivery_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

const rawMail = "From: Max <max@acme.example>\r\nTo: kunde@example.org\r\nBcc: geheim@example.org\r\nSubject:  =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Message-ID: <own@acme.example>\r\nX-Odd:a;b\r\n\r\nbody\r\n.dot\r\n"

// A whole message leaves as it was given, through the account's address.
func TestRaw(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{Raw: []byte(rawMail), Text: ""})
	h.start()
	h.next("accepted")
	st := h.status(id)
	if st.MessageID != "<own@acme.example>" || len(st.Recipients) != 2 {
		t.Errorf("%+v", st)
	}
	mails := h.server.Mails()
	if len(mails) != 1 || len(mails[0].Recipients) != 2 {
		t.Fatalf("%+v", mails)
	}
	got := string(mails[0].Body)
	if !strings.HasSuffix(got, "\r\n\r\nbody\r\n.dot\r\n") || strings.Contains(got, "Bcc") || strings.Contains(got, "geheim") {
		t.Errorf("it left as\n%s", got)
	}
	for _, want := range []string{"Subject:  =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n", "X-Odd:a;b\r\n", "<noreply@platform.example>\r\n", "Reply-To: Max <max@acme.example>\r\n", "Date: "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// To, Cc and Bcc say who gets it, whatever the message says.
func TestRawEnvelope(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.send(rohrpost.Message{Raw: []byte(rawMail), To: to("andere@example.org")})
	h.start()
	h.next("accepted")
	if m := h.server.Mails()[0]; len(m.Recipients) != 1 || m.Recipients[0] != "andere@example.org" || !strings.Contains(string(m.Body), "To: kunde@example.org\r\n") {
		t.Errorf("%q\n%s", m.Recipients, m.Body)
	}
}

// What the platform's account sends is signed; a message of an application too.
func TestSigned(t *testing.T) {
	t.Parallel()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := dkim.ParseKey("platform.example", "s1", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	signers, err := dkim.New(key)
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, func(o *delivery.Options) { o.Outgoing.Signers = signers })
	h.send(rohrpost.Message{To: to("a@example.org"), Text: "Grüße"})
	h.send(rohrpost.Message{Raw: []byte(rawMail)})
	h.start()
	for range 2 {
		h.next("accepted")
	}
	for _, m := range h.server.Mails() {
		if got := string(m.Body); !strings.HasPrefix(got, "DKIM-Signature: ") || !strings.Contains(got, "d=platform.example") {
			t.Errorf("not signed:\n%s", got)
		}
	}
}
