package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/api"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

const undisclosed = "To: undisclosed-recipients:;\r\n"

func TestReaddress(t *testing.T) {
	t.Parallel()
	const body = "\r\nTo: not a field\r\nBcc: x@example.org\r\n\r\n.\r\n"
	const long = "=?utf-8?q?M=C3=BCller?= <a-quite-long-local-part@a-quite-long-domain.example.org>"
	for _, c := range []struct {
		name, header string
		recipients   string // separated by space
		want         string
	}{
		{"all in To", "From: m@x.example\r\nTo: a@x.example, b@x.example\r\nSubject: s\r\n", "a@x.example b@x.example", "From: m@x.example\r\nTo: a@x.example, b@x.example\r\nSubject: s\r\n"},
		{"To and Cc", "To: a@x.example\r\nCc: b@x.example\r\n", "b@x.example a@x.example", "To: a@x.example\r\nCc: b@x.example\r\n"},
		{"one hidden", "To: a@x.example\r\nSubject: s\r\n", "a@x.example b@x.example", "To: a@x.example\r\nSubject: s\r\nBcc: <b@x.example>\r\n"},
		{"all hidden", undisclosed + "Subject: s\r\n", "a@x.example b@x.example", undisclosed + "Subject: s\r\nBcc: <a@x.example>, <b@x.example>\r\n"},
		{"a hidden one twice", undisclosed, "a@x.example a@X.example", undisclosed + "Bcc: <a@x.example>\r\n"},

		{"one of To is left", "To: Anna <a@x.example>, Bob <b@x.example>\r\nSubject: s\r\n", "b@x.example", "To: \"Bob\" <b@x.example>\r\nSubject: s\r\n"},
		{"none of To is left", "Subject: s\r\nTo: a@x.example\r\nCc: b@x.example\r\n", "b@x.example", "Subject: s\r\nCc: b@x.example\r\n"},
		{"none of Cc is left", "To: a@x.example\r\nCc: b@x.example\r\nX: y\r\n", "a@x.example", "To: a@x.example\r\nX: y\r\n"},
		{"only a hidden one is left", "To: a@x.example\r\nCc: b@x.example\r\nX: y\r\n", "c@x.example", "X: y\r\n" + undisclosed + "Bcc: <c@x.example>\r\n"},
		{"no address field", "X: y\r\n", "c@x.example", "X: y\r\n" + undisclosed + "Bcc: <c@x.example>\r\n"},

		{"folded, kept", "To: a@x.example,\r\n\tb@x.example\r\n", "a@x.example b@x.example", "To: a@x.example,\r\n\tb@x.example\r\n"},
		{"folded, changed", "To: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?q?_M?= <a@x.example>,\r\n b@x.example\r\nX: y\r\n", "a@x.example", "To: =?utf-8?q?J=C3=BCrgen_M?= <a@x.example>\r\nX: y\r\n"},
		{"folded anew", "To: " + long + ", " + long + ", b@x.example\r\n", "a-quite-long-local-part@a-quite-long-domain.example.org", "To: =?utf-8?q?M=C3=BCller?=\r\n <a-quite-long-local-part@a-quite-long-domain.example.org>,\r\n =?utf-8?q?M=C3=BCller?=\r\n <a-quite-long-local-part@a-quite-long-domain.example.org>\r\n"},
		{"group", "To: Team: a@x.example, b@x.example;, c@x.example\r\n", "b@x.example c@x.example", "To: <b@x.example>, <c@x.example>\r\n"},
		{"comma in a name", "To: \"Muster, Max\" <a@x.example>, b@x.example\r\n", "a@x.example", "To: \"Muster, Max\" <a@x.example>\r\n"},
		{"line end in an encoded name", "To: =?utf-8?q?x=0D=0ABcc=3A_e=40x?= <a@x.example>, b@x.example\r\n", "a@x.example", "To: =?utf-8?b?eA0KQmNjOiBlQHg=?= <a@x.example>\r\n"},
		{"several To", "To: a@x.example\r\nto : b@x.example\r\n", "b@x.example", "to : b@x.example\r\n"},

		{"case of the domain", "To: a@X.Example\r\n", "a@x.example", "To: a@X.Example\r\n"},
		{"case of the local part", "To: A@x.example\r\n", "a@x.example", undisclosed + "Bcc: <a@x.example>\r\n"},
		{"A-labels", "To: a@xn--mller-kva.example\r\n", "a@müller.example", "To: a@xn--mller-kva.example\r\n"},
		{"UTF-8", "To: ä@müller.example, b@x.example\r\n", "ä@xn--mller-kva.example", "To: <ä@müller.example>\r\n"},

		{"Bcc of its own", "To: a@x.example\r\nBcc: b@x.example,\r\n c@x.example\r\nX: y\r\n", "a@x.example c@x.example", "To: a@x.example\r\nX: y\r\nBcc: <c@x.example>\r\n"},
		{"Resent fields", "Resent-To: b@x.example\r\nresent-bcc: c@x.example\r\nTo: a@x.example\r\n", "a@x.example", "To: a@x.example\r\n"},
		{"others that look alike", "To: a@x.example\r\nX-To: b@x.example\r\nReply-To: c@x.example\r\nX: d\r\n\tBcc: e@x.example\r\n", "a@x.example", "To: a@x.example\r\nX-To: b@x.example\r\nReply-To: c@x.example\r\nX: d\r\n\tBcc: e@x.example\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mail := []byte(c.header + body)
			header, rest, err := api.Readdress(mail, strings.Fields(c.recipients))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(header)); diff != "" {
				t.Error(diff)
			}
			if string(rest) != body {
				t.Errorf("body %q", rest)
			}
			if string(mail) != c.header+body {
				t.Error("the mail itself was changed")
			}
		})
	}
}

func TestReaddressRefuses(t *testing.T) {
	t.Parallel()
	for name, mail := range map[string]string{
		"no end of the header": "To: a@x.example\r\n",
		"nothing":              "",
		"no colon":             "To a@x.example\r\n\r\n",
		"no name":              ": a@x.example\r\n\r\n",
		"unreadable To":        "To: a@@x.example\r\n\r\n",
		"bare LF":              "Subject: s\nBcc: a@x.example\r\n\r\n",
		"bare CR":              "Subject: s\rBcc: a@x.example\r\n\r\n",
		"NUL":                  "Subject: \x00\r\n\r\n",
	} {
		if _, _, err := api.Readdress([]byte(mail), []string{"a@x.example"}); !errors.Is(err, failure.ErrMalformed) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReaddressComposed takes mails as they really come, for every set of
// recipients that can be left after an attempt.
func TestReaddressComposed(t *testing.T) {
	t.Parallel()
	m := &rohrpost.Message{
		To: []rohrpost.Address{
			{Name: "Jürgen \"Jogi\" Müller, Geschäftsführer der Müller & Söhne Präzisionswerkzeuge", Address: "j@müller.example"},
			{Name: "Anna", Address: "anna@x.example"},
			{Address: "b@[192.0.2.7]"},
		},
		Cc:  []rohrpost.Address{{Name: "=?utf-8?q?no?=", Address: "c@x.example"}, {Address: "ü@x.example"}},
		Bcc: []rohrpost.Address{{Address: "hidden@x.example"}, {Address: "d@x_y.example"}},

		Subject: "Ihre Rechnung für März", Text: "Grüße\nTo: nobody@x.example\n.\n", HTML: "<p>Grüße</p>",
		Attachments: []rohrpost.Attachment{{Name: "R-1.pdf", Content: bytes.Repeat([]byte("%PDF"), 999)}},
	}
	composed, err := compose.Compose(t.Context(), compose.Input{
		Message: m, MessageID: "<1@acme.example>", Date: time.Unix(1767225600, 0),
		From: rohrpost.Address{Name: "Max", Address: "max@acme.example"}, ReplyTo: []rohrpost.Address{{Address: "r@acme.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	before, body, _ := strings.Cut(string(composed), "\r\n\r\n")
	all := m.Recipients()
	for set := range 1 << len(all) {
		var recipients []string
		for i, a := range all {
			if set&(1<<i) != 0 {
				recipients = append(recipients, a)
			}
		}
		header, rest, err := api.Readdress(composed, recipients)
		if err != nil {
			t.Fatalf("%q: %v", recipients, err)
		}
		if string(rest) != "\r\n"+body {
			t.Fatalf("%q: the body has changed", recipients)
		}
		wantExactly(t, slices.Concat(header, rest), recipients)
		for line := range strings.SplitSeq(before, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if line[0] != ' ' && name != "To" && name != "Cc" && !strings.Contains(string(header), line+"\r\n") {
				t.Errorf("%q: lost %q", recipients, line)
			}
		}
	}
}

// wantExactly reads the mail as a server does.
func wantExactly(t *testing.T, mail []byte, recipients []string) {
	t.Helper()
	got, err := apitest.Parse(mail)
	if err != nil {
		t.Fatalf("%q: %v", recipients, err)
	}
	want := slices.Clone(recipients)
	for i, a := range want { // how compose and Readdress write a domain
		if local, domain, _ := strings.Cut(a, "@"); local != "ü" {
			want[i] = local + "@" + strings.ReplaceAll(strings.ToLower(domain), "müller", "xn--mller-kva")
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), got.Recipients()); len(want)+len(got.Recipients()) > 0 && diff != "" {
		t.Errorf("recipients %s", diff)
	}
	header, _, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		if len(line) > 998 || len(bytes.TrimSpace(line)) == 0 {
			t.Errorf("header line of %d octets: %.100q", len(line), line)
		}
	}
}

// TestReaddressMany is the largest envelope there is.
func TestReaddressMany(t *testing.T) {
	t.Parallel()
	var recipients []string
	for i := range rohrpost.MaxRecipients {
		recipients = append(recipients, fmt.Sprintf("recipient-%04d@some-domain.example", i))
	}
	to := strings.Join(recipients[:500], ",\r\n ")
	header, rest, err := api.Readdress([]byte("To: "+to+"\r\nSubject: s\r\n\r\nx"), recipients[1:])
	if err != nil {
		t.Fatal(err)
	}
	wantExactly(t, slices.Concat(header, rest), recipients[1:])
}

// FuzzReaddress holds for every header: whoever is a recipient gets it, nobody
// else does, and the rest is as it was.
func FuzzReaddress(f *testing.F) {
	f.Add("From: m@x.example\r\nTo: A <a@x.example>, b@x.example\r\nCc: c@x.example\r\n", "b@x.example d@x.example")
	f.Add("To: Team: a@x.example;, =?utf-8?q?=0D=0ABcc:?= <b@x.example>\r\n", "b@x.example")
	f.Add("To:\r\n\ta@x.example (comment)\r\nBcc: b@x.example\r\nResent-To: c@x.example\r\n", "a@x.example")
	f.Add("To: \"  a  b  \" <a@x.example>, c@x.example\r\n", "a@x.example b@[192.0.2.1]")
	f.Add(undisclosed, "")
	f.Fuzz(func(t *testing.T, head, list string) {
		var recipients []string
		for a := range strings.SplitSeq(list, " ") {
			if rohrpost.CheckAddress(a) == nil && a == strings.ToLower(a) && !strings.ContainsFunc(a, func(r rune) bool { return r > '~' }) && !strings.Contains(a, "[") {
				recipients = append(recipients, a)
			}
		}
		const body = "\r\nbody\r\n"
		header, rest, err := api.Readdress([]byte(head+body), recipients)
		if err != nil {
			return
		}
		if strings.Contains(head, "\r\n\r\n") || strings.HasPrefix(head, "\r\n") {
			return // the body begins in there
		}
		if string(rest) != body {
			t.Fatalf("body %q", rest)
		}
		got, err := apitest.Parse(slices.Concat(header, rest))
		if err != nil {
			return // a field that its reader does not know
		}
		want := slices.Clone(recipients)
		slices.Sort(want)
		found := got.Recipients()
		for i, a := range found {
			found[i] = strings.ToLower(a)
		}
		if want = slices.Compact(want); !slices.Equal(want, slices.Compact(found)) {
			t.Errorf("recipients %q, want %q: %q", found, want, header)
		}
	})
}
