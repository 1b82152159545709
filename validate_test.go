package rohrpost_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

var validateAt = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func validMessage() rohrpost.Message {
	return rohrpost.Message{To: []rohrpost.Address{{Address: "kunde@example.org"}}, Text: "Guten Tag"}
}

func addresses(n int) []rohrpost.Address {
	out := make([]rohrpost.Address, n)
	for i := range out {
		out[i].Address = fmt.Sprintf("n%d@example.org", i)
	}
	return out
}

// TestValidate has every refusal, beside the nearest thing that is taken.
func TestValidate(t *testing.T) {
	t.Parallel()
	type M = rohrpost.Message
	long := func(n int) string { return strings.Repeat("x", n) }
	file := func(a rohrpost.Attachment) func(*M) {
		a.Content = []byte{}
		return func(m *M) { m.Attachments = []rohrpost.Attachment{a} }
	}
	header := func(name, value string) func(*M) {
		return func(m *M) { m.Headers = []rohrpost.Header{{Name: name, Value: value}} }
	}
	tests := []struct {
		name   string
		change func(*M)
		fields string // of the refusals, separated by spaces; "": taken
	}{
		{"least", func(*M) {}, ""},
		{"everything", func(m *M) { *m = fullMessage(); m.Raw = nil }, ""},

		{"id", func(m *M) { m.ID = "aZ09._:~/@+=-" + long(243) }, ""},
		{"id too long", func(m *M) { m.ID = long(257) }, "id"},
		{"id with space", func(m *M) { m.ID = "a b" }, "id"},
		{"id with line end", func(m *M) { m.ID = "a\n" }, "id"},
		{"id with brace", func(m *M) { m.ID = "a}b" }, "id"},
		{"id begins with slash", func(m *M) { m.ID = "/b" }, "id"},
		{"id with comma", func(m *M) { m.ID = "a,b" }, "id"},
		{"id with exclamation mark", func(m *M) { m.ID = "a!b" }, "id"},
		{"id begins with dot", func(m *M) { m.ID = ".a" }, "id"},
		{"id with umlaut", func(m *M) { m.ID = "ü" }, "id"},

		{"tenant", func(m *M) { m.Tenant = "Müller & Söhne {1}" }, ""},
		{"tenant too long", func(m *M) { m.Tenant = long(129) }, "tenant"},
		{"tenant with NUL", func(m *M) { m.Tenant = "a\x00" }, "tenant"},
		{"tenant that looks like another", func(m *M) { m.Tenant = "ac\u200bme" }, "tenant"},
		{"ids with another direction", func(m *M) { m.Tenant, m.User.ID = "a\u202eb", "a\u2067b" }, "tenant user.id"},
		{"ids of two lines for some", func(m *M) { m.Tenant, m.User.ID = "a\u2028b", "a\u2029b" }, "tenant user.id"},
		{"metadata that looks like other", func(m *M) { m.Metadata = map[string]string{"a\ufeff": "b"} }, `metadata["a\ufeff"]`},
		{"names of all scripts", func(m *M) {
			m.To[0].Name, m.User.FirstName = "می\u200cخواهم", "क्\u200dष"
			m.Attachments = []rohrpost.Attachment{{Name: "👨\u200d👩\u200d👧 \u200f.pdf", Content: []byte{}}}
		}, ""},
		{"file with another direction", file(rohrpost.Attachment{Name: "invoice\u202efdp.exe"}), "attachments[0].name"},
		{"person with another direction", func(m *M) { m.To[0].Name = "\u2066a\u2069" }, "to[0].name"},
		{"user", func(m *M) { m.User = rohrpost.User{ID: long(128), FirstName: long(256), LastName: long(256)} }, ""},
		{"user too long", func(m *M) { m.User = rohrpost.User{ID: long(129), FirstName: long(257), LastName: long(257)} }, "user.id user.first_name user.last_name"},
		{"user's name with line break", func(m *M) { m.User.FirstName = "a\r\nBcc: b" }, "user.first_name"},
		{"user's address", func(m *M) { m.User.Address = "max" }, "user.address"},

		{"words", func(m *M) { m.Origin, m.Category, m.Priority, m.OnUncertain = "manual", "marketing", "bulk", "resend" }, ""},
		{"unknown words", func(m *M) { m.Origin, m.Category, m.Priority, m.OnUncertain = "Manual", "spam", "low", "drop" }, "origin category priority on_uncertain"},

		{"Cc alone", func(m *M) { m.To, m.Cc = nil, m.To }, ""},
		{"Bcc alone", func(m *M) { m.To, m.Bcc = nil, m.To }, ""},
		{"no recipients", func(m *M) { m.To = nil }, "to"},
		{"most recipients", func(m *M) { m.To, m.Bcc = addresses(500), addresses(500) }, ""},
		{"too many recipients", func(m *M) { m.To, m.Bcc = addresses(500), addresses(501) }, "to"},
		{"bad addresses", func(m *M) {
			m.To, m.Cc, m.Bcc = addresses(2), []rohrpost.Address{{Name: "a"}}, []rohrpost.Address{{Address: "a@b>"}}
			m.To[1].Address = "x"
		}, "to[1].address cc[0].address bcc[0].address"},
		{"bad name", func(m *M) { m.To[0].Name = "a\nb" }, "to[0].name"},
		{"name too long", func(m *M) { m.To[0].Name = long(257) }, "to[0].name"},
		{"name not UTF-8", func(m *M) { m.To[0].Name = "\xff" }, "to[0].name"},
		{"from", func(m *M) { m.From = rohrpost.Address{Name: "a"} }, "from.address"},
		{"reply_to", func(m *M) { m.ReplyTo = []rohrpost.Address{{Address: "a@b"}, {}} }, "reply_to[1].address"},
		{"most reply_to", func(m *M) { m.ReplyTo = addresses(100) }, ""},
		{"too many reply_to", func(m *M) { m.ReplyTo = addresses(101) }, "reply_to"},

		{"subject", func(m *M) { m.Subject = "Größe\t🐘" + long(1980) }, ""},
		{"subject too long", func(m *M) { m.Subject = long(2001) }, "subject"},
		{"subject with CR", func(m *M) { m.Subject = "a\rb" }, "subject"},
		{"subject with LF", func(m *M) { m.Subject = "a\nBcc: b@c" }, "subject"},
		{"subject with escape", func(m *M) { m.Subject = "a\x1b[31m" }, "subject"},
		{"subject with NEL", func(m *M) { m.Subject = "a\u0085b" }, "subject"},
		{"subject not UTF-8", func(m *M) { m.Subject = "a\xc3" }, "subject"},

		{"html alone", func(m *M) { m.Text, m.HTML = "", "<p>" }, ""},
		{"attachment alone", func(m *M) { m.Text = ""; file(rohrpost.Attachment{Name: "a"})(m) }, ""},
		{"no body", func(m *M) { m.Text = "" }, "text"},
		{"text with line breaks", func(m *M) { m.Text = "a\r\nb\n.\r\n\x1b" }, ""},
		{"text with NUL", func(m *M) { m.Text = "a\x00" }, "text"},
		{"html not UTF-8", func(m *M) { m.HTML = "\xff" }, "html"},

		{"attachment", file(rohrpost.Attachment{Name: "Größe 1.pdf", ContentType: `text/plain; charset=utf-8; name="a b.txt"`}), ""},
		{"inline", file(rohrpost.Attachment{ContentID: "logo.1@acme"}), ""},
		{"no name", file(rohrpost.Attachment{}), "attachments[0].name"},
		{"path", file(rohrpost.Attachment{Name: "../a"}), "attachments[0].name"},
		{"backslash", file(rohrpost.Attachment{Name: `c:\a`}), "attachments[0].name"},
		{"name with line break", file(rohrpost.Attachment{Name: "a\r\nb"}), "attachments[0].name"},
		{"long file name", file(rohrpost.Attachment{Name: long(256)}), "attachments[0].name"},
		{"no type", file(rohrpost.Attachment{Name: "a", ContentType: "pdf"}), "attachments[0].content_type"},
		{"type with line break", file(rohrpost.Attachment{Name: "a", ContentType: "text/plain\r\nX: y"}), "attachments[0].content_type"},
		{"type with open quote", file(rohrpost.Attachment{Name: "a", ContentType: `text/plain; name="a`}), "attachments[0].content_type"},
		{"bracketed content id", file(rohrpost.Attachment{ContentID: "<a@b>"}), "attachments[0].content_id"},
		{"content id with line break", file(rohrpost.Attachment{ContentID: "a\n"}), "attachments[0].content_id"},

		{"header value", header("X-A", "a\tb ü"), ""},
		{"header value with line break", header("X-A", "a\r\n b"), "headers[0].value"},
		{"header value with NUL", header("X-A", "\x00"), "headers[0].value"},
		{"header value too long", header("X-A", long(4001)), "headers[0].value"},
		{"header with orders for a provider", header("X-SMTPAPI", `{"to":["b@example.org"]}`), "headers[0].name"},
		{"header with a copy", header("x-mc-bccaddress", "b@example.org"), "headers[0].name"},
		{"header with a recipient", header("X-Envelope-To", "b@example.org"), "headers[0].name"},
		{"header with an envelope", header("X-RCPT", "b@example.org"), "headers[0].name"},
		{"header for a receipt", header("Disposition-Notification-To", "b@example.org"), ""},
		{"header like a recipient's", header("X-Total", "1"), ""},
		{"header for statistics", header("X-Mailgun-Tag", "invoice"), ""},
		{"most headers", func(m *M) { m.Headers = make([]rohrpost.Header, 100); fill(m.Headers) }, ""},
		{"too many headers", func(m *M) { m.Headers = make([]rohrpost.Header, 101); fill(m.Headers) }, "headers"},

		{"expires", func(m *M) { m.NotBefore, m.Expires = validateAt, validateAt.Add(1) }, ""},
		{"expires now", func(m *M) { m.Expires = validateAt }, "expires"},
		{"expired", func(m *M) { m.Expires = validateAt.Add(-1) }, "expires"},
		{"not_before past", func(m *M) { m.NotBefore = validateAt.Add(-time.Hour) }, ""},
		{"expires before its time", func(m *M) { m.NotBefore, m.Expires = validateAt.Add(2), validateAt.Add(2) }, "expires"},
		{"year 10000", func(m *M) { m.NotBefore, m.Expires = validateAt.AddDate(7974, 0, 0), validateAt.AddDate(7975, 0, 0) }, "not_before expires"},

		{"attachment without content", func(m *M) { m.Attachments = []rohrpost.Attachment{{Name: "a.pdf"}} }, "attachments[0].content"},

		{"a whole message", func(m *M) { *m = M{Raw: []byte("From: a@example.org\r\n\r\nx")} }, ""},
		{"a whole message and more", func(m *M) { *m = fullMessage() }, "from reply_to subject text html no_text_part calendar headers attachments unsubscribe"},

		{"most metadata", func(m *M) { m.Metadata = pairs(32, 120) }, ""},
		{"too many pairs", func(m *M) { m.Metadata = pairs(33, 1) }, "metadata"},
		{"too much metadata", func(m *M) { m.Metadata = map[string]string{"k": long(4096)} }, "metadata"},
		{"metadata with line break", func(m *M) { m.Metadata = map[string]string{"a": "x\ny", "b\r\n": "x"} }, `metadata["a"] metadata["b\r\n"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := validMessage()
			tt.change(&m)
			err := m.Validate(validateAt)
			var problems rohrpost.FieldErrors
			if err != nil && !errors.As(err, &problems) {
				t.Fatalf("%T: %v", err, err)
			}
			fields := make([]string, len(problems))
			for i, p := range problems {
				fields[i] = p.Field
			}
			if diff := cmp.Diff(strings.Fields(tt.fields), fields); diff != "" {
				t.Errorf("refused fields (-want +got):\n%s%v", diff, err)
			}
			if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("the error has control characters: %q", err)
			}
		})
	}
}

func fill(headers []rohrpost.Header) {
	for i := range headers {
		headers[i].Name = "X-A"
	}
}

func pairs(n, size int) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprint(i)] = strings.Repeat("v", size)
	}
	return out
}

// sampleValue is one that a field of this name can have.
func sampleValue(name string) string {
	switch strings.ToLower(name) {
	case "in-reply-to", "references":
		return "<a@b.example> <c@b.example>"
	case "list-id":
		return "Kunden <kunden.acme.example>"
	case "list-unsubscribe":
		return "<https://acme.example/out>, <mailto:out@acme.example>"
	case "list-unsubscribe-post":
		return "List-Unsubscribe=One-Click"
	}
	return "v"
}

// The names that an application may set are a list, not whatever is not refused.
func TestValidateHeaderNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"X-Anything": true, "x-a": true, "List-Unsubscribe": true, "List-Unsubscribe-Post": true, "list-id": true, "Precedence": true,
		"In-Reply-To": true, "References": true, "REFERENCES": true, "Importance": true, "Auto-Submitted": true, "Feedback-ID": true,
		"From": false, "to": false, "Cc": false, "Bcc": false, "BCC": false, "Subject": false, "Reply-To": false, "Sender": false,
		"Date": false, "Message-ID": false, "Return-Path": false, "Received": false, "Content-Type": false, "Content-Transfer-Encoding": false,
		"MIME-Version": false, "DKIM-Signature": false, "Authentication-Results": false, "ARC-Seal": false, "Resent-From": false, "Delivered-To": false,
		"Unknown": false, "": false, "X": false, "X-A:": false, "X A": false, "X-A\r\nBcc": false, "X-Ä": false, "X_A": false, "X-A\x00": false,
		"X-" + strings.Repeat("a", 74): true, "X-" + strings.Repeat("a", 75): false,
	} {
		m := validMessage()
		m.Headers = []rohrpost.Header{{Name: "X-First"}, {Name: name, Value: sampleValue(name)}}
		err := m.Validate(validateAt)
		if ok != (err == nil) {
			t.Errorf("%q: %v", name, err)
		}
		var problem *rohrpost.FieldError
		if !ok && (!errors.As(err, &problem) || problem.Field != "headers[1].name") {
			t.Errorf("%q: the refusal is %v", name, err)
		}
	}
}

func TestFieldErrors(t *testing.T) {
	t.Parallel()
	m := rohrpost.Message{ID: "a b", Subject: "a\nb"}
	err := m.Validate(validateAt)
	want := `id: letters, digits and ._:~/@+=- only, at most 256, starting with a letter or digit; to: no recipients; ` +
		`subject: contains a line break; text: no body: text, html, calendar and attachments are all empty`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	var first *rohrpost.FieldError
	if !errors.As(err, &first) || first.Field != "id" || first.Problem == "" {
		t.Errorf("errors.As finds %v", first)
	}
	m = rohrpost.Message{Text: "x", To: make([]rohrpost.Address, 1000)}
	if err := m.Validate(validateAt); err == nil || !strings.HasSuffix(err.Error(), "to[9].address: missing; and 990 more") {
		t.Errorf("a thousand problems read %v", err)
	}
}

func BenchmarkValidate(b *testing.B) {
	m := rohrpost.Message{
		ID: "k5m2q7w3e2r2t6y7u4i2o2p5a7", Tenant: "acme", Origin: rohrpost.Manual,
		User:    rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max@acme.example"},
		To:      []rohrpost.Address{{Name: "Kundin", Address: "kundin@example.org"}},
		Subject: "Ihre Rechnung", Text: strings.Repeat("Guten Tag, anbei die Rechnung.\n", 132),
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Validate(validateAt); err != nil {
			b.Fatal(err)
		}
	}
}

// refusedFields are those that an error of Validate names, separated by spaces.
func refusedFields(err error) string {
	var problems rohrpost.FieldErrors
	errors.As(err, &problems)
	fields := make([]string, len(problems))
	for i, p := range problems {
		fields[i] = p.Field
	}
	return strings.Join(fields, " ")
}
