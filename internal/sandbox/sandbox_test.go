package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
)

func start(t *testing.T) *Server {
	t.Helper()
	s, err := Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// send hands a mail over and returns the reply code that stopped it, or 250.
func send(t *testing.T, s *Server, recipient, mail string) int {
	t.Helper()
	c, err := smtp.Dial(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Mail("from@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(recipient); err != nil {
		return code(t, err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, mail); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		return code(t, err)
	}
	return 250
}

func code(t *testing.T, err error) int {
	t.Helper()
	reply, ok := err.(*textproto.Error) //nolint:errorlint // net/smtp returns it bare
	if !ok {
		t.Fatal(err)
	}
	return reply.Code
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	s := start(t)
	for recipient, want := range map[string][]int{
		"anna@example.org":     {250},
		"refuse@example.org":   {550, 550},
		"full@example.org":     {452, 452},
		"defer@example.org":    {451, 451, 451},
		"defer-2@example.org":  {451, 451, 250, 451},
		"defer-x@example.org":  {250},
		"defer-10@example.org": {250},
		"greylist@example.org": {451, 250},
		"spam@example.org":     {554},
	} {
		for i, code := range want {
			if got := send(t, s, recipient, "Subject: x\r\n"); got != code {
				t.Errorf("%s, attempt %d: %d instead of %d", recipient, i+1, got, code)
			}
		}
	}
}

func TestKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range keepMails + 3 {
		s.accept(Mail{})
	}
	mails := s.Mails()
	if len(mails) != keepMails || mails[0].Number != 4 || mails[len(mails)-1].Number != keepMails+3 {
		t.Errorf("%d mails, from %d to %d", len(mails), mails[0].Number, mails[len(mails)-1].Number)
	}
}

const multipart = "From: =?utf-8?q?M=C3=BCller?= <info@acme.example>\r\nTo: kunde@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nHallo <b>\r\n" +
	"--b\r\nContent-Type: text/html\r\n\r\n<p>Hallo<script>alert(1)</script></p>\r\n" +
	"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=R-1.pdf\r\n\r\npdf\r\n--b--\r\n"

func TestViewer(t *testing.T) {
	t.Parallel()
	s := start(t)
	send(t, s, "kunde@example.org", multipart)
	send(t, s, "kunde@example.org", "this is no mail\r\n")
	for path, want := range map[string]struct {
		status int
		words  []string
		not    string
	}{
		"/":          {200, []string{"Grüße", `href="1"`, "Müller", "kunde@example.org", "(no subject)"}, ""},
		"/1":         {200, []string{"Grüße", "Hallo &lt;b&gt;", `src="1/html"`, "R-1.pdf", "iframe sandbox"}, "<script>"},
		"/1/html":    {200, []string{"<p>Hallo"}, ""},
		"/1/raw":     {200, []string{"Subject: =?utf-8?q?Gr"}, ""},
		"/2":         {200, []string{"(no subject)"}, ""},
		"/3":         {404, nil, ""},
		"/x":         {404, nil, ""},
		"/style.css": {200, []string{"font"}, ""},
	} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		body := w.Body.String()
		if w.Code != want.status {
			t.Errorf("%s: status %d", path, w.Code)
		}
		for _, word := range want.words {
			if !strings.Contains(body, word) {
				t.Errorf("%s: %q is not in %s", path, word, body)
			}
		}
		if want.not != "" && strings.Contains(body, want.not) {
			t.Errorf("%s: has %q", path, want.not)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}
