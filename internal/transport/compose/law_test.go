package compose_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/internal/transport/compose/wiretest"
)

// A maker makes messages of all that people have tried, right and wrong.
type maker struct{ *rand.Rand }

func (k maker) pick(list ...string) string { return list[k.IntN(len(list))] }

func (k maker) some(n int, add func(i int)) {
	if k.IntN(3) == 0 {
		for i := range k.IntN(n) + 1 {
			add(i)
		}
	}
}

func (k maker) text() string {
	var b strings.Builder
	for range k.IntN(6) {
		b.WriteString(k.pick("", "Rechnung", " ", "  ", "\t", "\u00a0", "Grüße", "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=", "=?", "?=", `"`, `\`, ",", "<a@b.example>", ":", "😀", "請求書", "Счёт",
			strings.Repeat("w", 80), strings.Repeat("ü", 120), strings.Repeat("x", 950), strings.Repeat("z ", 90), "\u200d", "e\u0301", "(", ")", "'", "*", "%", "\x00", "\r\n", "\u0085", "\xff", "=3D", "."))
	}
	return b.String()
}

func (k maker) address() rohrpost.Address {
	return rohrpost.Address{
		Name: k.pick("", "Max Muster", k.text(), "Müller, Jörg"),
		Address: k.pick("a@example.org", "b@example.org", "jörg@example.org", "info@bücher.example", "info@xn--bcher-kva.example", "info@müller_gmbh.example", "x@xn--zzzz.müller.example",
			"o'neil@example.org", "a+b@EXAMPLE.org", "c@[192.0.2.1]", "d@[IPv6:2001:db8::1]", "größe@bücher.example", strings.Repeat("l", 64)+"@example.org", "a..b@example.org", "", "a b@example.org", "用户@例え.jp"),
	}
}

func (k maker) header() rohrpost.Header {
	return rohrpost.Header{
		Name: k.pick("X-Run", "x-mailgun-tag", "X-"+strings.Repeat("a", 74), "References", "In-Reply-To", "List-Unsubscribe", "List-Id", "Keywords", "Importance", "Disposition-Notification-To", "Comments", "Archived-At", "Organization", "Subject", "List-Post"),
		Value: k.pick(k.text(), "v", "<a@b.example> <c@b.example>", strings.Repeat("<"+strings.Repeat("i", 60)+"@b.example> ", 40), "<https://acme.example/>, <mailto:a@b.example>",
			"Jörg <joerg@bücher.example>, b@c.example", "Kunden <k.acme.example>", "eins, zwei, größer", strings.Repeat("{\"a\":1},", 300)),
	}
}

func (k maker) file() rohrpost.Attachment {
	a := rohrpost.Attachment{
		Name: k.pick("a.pdf", "Rechnung März.pdf", "l'offre.pdf", "a*b.pdf", "請求書.xlsx", "mail.eml", "x.csv", "no-ending", "Rechnung\t4711.pdf", "a/b", k.text(), strings.Repeat("ä", 120)+".pdf", "a\"b\\c.txt", "e\u0301.txt"),
		ContentType: k.pick("", "", "application/pdf", "text/plain; charset=utf-8", "text/plain; charset=utf-8; charset=iso-8859-1", "text/csv; header=present; name=\"x y.csv\"", "message/rfc822", "multipart/mixed", "pdf",
			"a/b; "+strings.Repeat("x", 300)+"=1"),
		ContentID: k.pick("", "", "", "logo", "logo@acme", "a b"),
		Content:   []byte(k.pick("", "x", "Subject: x\r\n\r\nGrüße", "Subject: x\n\ny\n", "\xff\xfe\x00", strings.Repeat("long ", 400))),
	}
	if k.IntN(20) == 0 {
		a.Content = nil
	}
	return a
}

func (k maker) message() *rohrpost.Message {
	m := &rohrpost.Message{
		Subject: k.pick("", k.text(), strings.Repeat("a", 1100)), Text: k.pick("", "Guten Tag", k.text()), HTML: k.pick("", "<p>Guten <b>Tag</b><img src=cid:logo>", k.text()),
		Origin: rohrpost.Origin(k.pick("", "manual")), Category: rohrpost.Category(k.pick("", "marketing")), NoTextPart: k.IntN(4) == 0,
	}
	list := func(to *[]rohrpost.Address) { k.some(4, func(int) { *to = append(*to, k.address()) }) }
	m.To = append(m.To, k.address())
	list(&m.To)
	list(&m.Cc)
	list(&m.Bcc)
	list(&m.ReplyTo)
	k.some(4, func(int) { m.Headers = append(m.Headers, k.header()) })
	k.some(3, func(int) { m.Attachments = append(m.Attachments, k.file()) })
	if k.IntN(8) == 0 {
		m.Calendar = &rohrpost.Calendar{Method: "REQUEST", Content: "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20260101T000000Z\nORGANIZER:mailto:a@b.example\nSUMMARY:Übergabe\nEND:VEVENT\nEND:VCALENDAR\n"}
	}
	if k.IntN(8) == 0 {
		m.Unsubscribe = &rohrpost.Unsubscribe{URL: "https://acme.example/" + strings.Repeat("x", k.IntN(870)), OneClick: true}
	}
	return m
}

// law is that of the door and that of the wire: what Validate accepts is composed,
// with and without SMTPUTF8, and what is composed is right on the wire. It reports
// whether the message was accepted.
func law(t *testing.T, m *rohrpost.Message) bool {
	t.Helper()
	if m.Validate(time.Now()) != nil {
		return false
	}
	own := *m
	own.Headers = append(slices.Clip(own.Headers), m.Unsubscribe.Fields()...)
	in := input(own)
	in.ReplyTo = m.ReplyTo
	for _, utf8 := range []bool{false, true} {
		in.UTF8 = utf8
		out, err := compose.Compose(t.Context(), in)
		if err != nil {
			t.Errorf("accepted, and not composed: %v", err)
			return true
		}
		wiretest.Check(t, out, utf8)
		same(t, m, out)
	}
	return true
}

// same compares what a reader sees with what was given.
func same(t *testing.T, m *rohrpost.Message, out []byte) {
	t.Helper()
	got, err := mail.ReadMessage(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if subject := decoded(t, got.Header.Get("Subject")); subject != m.Subject && strings.Trim(m.Subject, " \t") == m.Subject {
		t.Errorf("subject %q is read as %q", m.Subject, subject)
	}
	names := map[string]bool{}
	for _, list := range [...][]rohrpost.Address{m.To, m.Cc} {
		for _, a := range list {
			names[a.Name] = true
		}
	}
	for _, field := range []string{"To", "Cc"} {
		list, err := mail.ParseAddressList(strings.ReplaceAll(got.Header.Get(field), "@[IPv6:", "@["))
		if err != nil {
			continue // wiretest has judged it
		}
		for _, a := range list {
			if !names[a.Name] {
				t.Errorf("nobody is named %q", a.Name)
			}
		}
	}
}

// decoded is a value as a reader shows it.
func decoded(t *testing.T, value string) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(value)
	if err != nil {
		t.Errorf("%q: %v", value, err)
	}
	return text
}

func TestLaw(t *testing.T) {
	t.Parallel()
	accepted := 0
	const messages = 30_000
	for seed := range uint64(messages) {
		m := maker{rand.New(rand.NewPCG(seed, 7))}.message()
		if law(t, m) {
			accepted++
		}
		if t.Failed() {
			t.Fatalf("seed %d: %.2000s", seed, fmt.Sprintf("%+v", *m))
		}
	}
	if accepted < messages/20 {
		t.Errorf("%d of %d were accepted: too few to say anything", accepted, messages)
	}
}

func FuzzLaw(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, "Grüße", "Jörg", "Rechnung.pdf", "X-Run", "v")
	}
	f.Fuzz(func(t *testing.T, seed uint64, subject, name, file, field, value string) {
		m := maker{rand.New(rand.NewPCG(seed, 7))}.message()
		m.Subject, m.To[0].Name = subject, name
		m.Headers = append(m.Headers, rohrpost.Header{Name: field, Value: value})
		m.Attachments = append(m.Attachments, rohrpost.Attachment{Name: file, Content: []byte(value)})
		law(t, m)
	})
}
