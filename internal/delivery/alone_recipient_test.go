package delivery_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// A recipient whose domain no server can know fails alone, with a cause that is its own.
func TestRecipientWithoutALabels(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("gut@example.org"), Cc: to("info@müller_gmbh.example")})
	h.start()
	h.next("failed", "accepted")
	h.eventually("it has ended", func() bool { return h.status(id).State.Final() })
	st := h.status(id)
	if st.Recipients[0].State != rohrpost.RecipientAccepted || st.Recipients[1].State != rohrpost.RecipientFailed {
		t.Errorf("%+v", st.Recipients)
	}
	entries := h.entries(id)
	if len(entries) != 1 || entries[0].Category != "recipient_invalid" || len(entries[0].Recipients) != 1 {
		t.Errorf("%+v", entries)
	}
	if m := h.server.Mails()[0]; len(m.Recipients) != 1 || strings.Contains(string(m.Body), "gmbh") {
		t.Errorf("%q\n%s", m.Recipients, m.Body)
	}
}

// One that needs SMTPUTF8 fails alone where the server has none.
func TestRecipientBeyondASCII(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.send(rohrpost.Message{To: to("gut@example.org", "jörg@example.org")})
	h.start()
	h.eventually("it has ended", func() bool { return h.status(id).State.Final() })
	st := h.status(id)
	if st.Recipients[0].State != rohrpost.RecipientAccepted || st.Recipients[1].State != rohrpost.RecipientFailed {
		t.Errorf("%+v", st.Recipients)
	}
	if m := h.server.Mails()[0]; m.Parameters != "" && strings.Contains(m.Parameters, "SMTPUTF8") || strings.Contains(string(m.Body), "jörg") {
		t.Errorf("%q\n%s", m.Parameters, m.Body)
	}
}
