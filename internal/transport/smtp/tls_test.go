package smtp_test

import (
	"crypto/tls"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestTLS sends through both kinds of TLS, to a name and to addresses.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	for _, implicit := range []bool{false, true} {
		for _, host := range []string{"mail.example", "127.0.0.1", "::1", "[::1]", "müller.example"} {
			h := setup(t, smtptest.Options{
				TLS:      ca.Valid("mail.example", "127.0.0.1", "::1", "xn--mller-kva.example"),
				Implicit: implicit, Username: "max", Password: "geheim",
			}, smtp.Options{RootCAs: ca.Pool()})
			h.server.Host, h.server.AllowPlaintextLogin = host, false
			h.server.Encryption = smtp.STARTTLS
			if implicit {
				h.server.Encryption = smtp.TLS
			}
			if got := brief(h.send(t)); got != "250" {
				t.Errorf("%s, implicit %v: %q", host, implicit, got)
				continue
			}
			if m := h.Mails()[0]; !m.TLS || m.Username != "max" {
				t.Errorf("%s, implicit %v: TLS %v, user %q", host, implicit, m.TLS, m.Username)
			}
		}
	}
}

// TestBadTLS never sends a login or a mail to a server that cannot be verified.
func TestBadTLS(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	old := ca.Valid("127.0.0.1")
	old.MaxVersion, old.MinVersion = tls.VersionTLS11, tls.VersionTLS10
	for _, c := range []struct {
		name     string
		config   *tls.Config // nil: STARTTLS is not offered
		category string
	}{
		{"wrong host", ca.Valid("other.example", "192.0.2.1"), "certificate_invalid"},
		{"expired", ca.Expired("127.0.0.1"), "certificate_invalid"},
		{"self-signed", smtptest.SelfSigned(t, "127.0.0.1"), "certificate_invalid"},
		{"unknown authority", smtptest.NewAuthority(t).Valid("127.0.0.1"), "certificate_invalid"},
		{"TLS 1.1", old, "tls_failure"},
	} {
		for _, implicit := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				h := setup(t, smtptest.Options{TLS: c.config, Implicit: implicit, Username: "max", Password: "geheim"}, smtp.Options{RootCAs: ca.Pool()})
				h.server.Encryption = smtp.STARTTLS
				if implicit {
					h.server.Encryption = smtp.TLS
				}
				wantTLS(t, h, failure.StageTLS, c.category)
			})
		}
	}
}

func TestSTARTTLS(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	for _, c := range []struct {
		name     string
		offered  bool
		answer   smtptest.Answer
		stage    failure.Stage
		category string
	}{
		{"not offered", false, smtptest.Answer{}, failure.StageSTARTTLS, "tls_failure"},
		{"4yz", true, smtptest.Reply(454, "4.7.0 TLS not available"), failure.StageSTARTTLS, "tls_failure"},
		{"5yz", true, smtptest.Reply(502, "5.5.1 no"), failure.StageSTARTTLS, "tls_failure"},
		{"cut", true, smtptest.Cut(), failure.StageSTARTTLS, "connection_lost"},
		{"250 injected after the reply", true, smtptest.Raw("220 go\r\n250-fake\r\n250 AUTH PLAIN\r\n"), failure.StageSTARTTLS, "protocol_error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := smtptest.Options{Username: "max", Password: "geheim"}
			if c.offered {
				o.TLS = ca.Valid("127.0.0.1")
			}
			h := setup(t, o, smtp.Options{RootCAs: ca.Pool()})
			h.server.Encryption = smtp.STARTTLS
			h.On(smtptest.STARTTLS, c.answer)
			wantTLS(t, h, c.stage, c.category)
		})
	}
}

func wantTLS(t *testing.T, h *harness, stage failure.Stage, category string) {
	t.Helper()
	h.server.AllowPlaintextLogin = false
	f := h.send(t)[0].Failure
	if f == nil || f.Stage != stage || f.Category != category {
		t.Errorf("failure %v, want %s at %s", f, category, stage)
	}
	if h.Count(smtptest.AUTH)+h.Count(smtptest.MAIL) != 0 {
		t.Errorf("went on: %v", h.Counts())
	}
}

// TestForgetsFirstEHLO is RFC 3207 §4.2: what was offered in clear text, perhaps
// by somebody on the way, does not count.
func TestForgetsFirstEHLO(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	h := setup(t, smtptest.Options{TLS: ca.Valid("127.0.0.1"), Username: "max", Password: "geheim"}, smtp.Options{RootCAs: ca.Pool()})
	h.server.Encryption = smtp.STARTTLS
	h.Once(smtptest.EHLO, smtptest.Answer{}, smtptest.Reply(250, "smtptest.example", "SIZE 1"))
	if f := h.send(t)[0].Failure; f == nil || f.Stage != failure.StageAuth {
		t.Errorf("%v", f)
	}
	if h.Count(smtptest.AUTH) != 0 {
		t.Error("AUTH was sent although it was no longer offered")
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	for _, c := range []struct {
		mechanisms []string
		tls        bool
	}{
		{[]string{"PLAIN"}, true},
		{[]string{"LOGIN"}, true},
		{[]string{"CRAM-MD5"}, true},
		{[]string{"SCRAM-SHA-256"}, true},
		{[]string{"XOAUTH2", "GSSAPI", "LOGIN"}, true},
		{[]string{"PLAIN"}, false},
		{[]string{"LOGIN"}, false},
		{[]string{"PLAIN", "CRAM-MD5"}, false},
		{[]string{"PLAIN", "CRAM-MD5", "SCRAM-SHA-256"}, false},
	} {
		o := smtptest.Options{Username: "max@acme.example", Password: "ge heim ß", Mechanisms: c.mechanisms}
		if c.tls {
			o.TLS = ca.Valid("127.0.0.1")
		}
		h := setup(t, o, smtp.Options{RootCAs: ca.Pool()})
		if c.tls {
			h.server.Encryption = smtp.STARTTLS
		}
		if got := brief(h.send(t)); got != "250" {
			t.Errorf("%v, TLS %v: %q", c.mechanisms, c.tls, got)
		}
		h.server.Version, h.server.Password = "2", secret.New("wrong")
		verdicts := h.send(t)
		if got := brief(verdicts); got != "auth 535" && got != "auth -" {
			t.Errorf("%v, TLS %v, wrong password: %q", c.mechanisms, c.tls, got)
		}
		if got := h.Count(smtptest.AUTH); got != 2 {
			t.Errorf("%v: %d logins, want one each", c.mechanisms, got)
		}
	}
	t.Run("no common mechanism", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{Username: "max", Password: "geheim", Mechanisms: []string{"GSSAPI"}}, smtp.Options{})
		if f := h.send(t)[0].Failure; f.Stage != failure.StageAuth || f.Class != failure.Config {
			t.Errorf("%v", f)
		}
	})
	t.Run("challenges without end", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{Username: "max", Password: "geheim", Mechanisms: []string{"CRAM-MD5"}}, smtp.Options{})
		h.On(smtptest.AUTH, smtptest.Raw("334 QQ==\r\n334 QQ==\r\n334 QQ==\r\n334 QQ==\r\n334 QQ==\r\n"))
		if f := h.send(t)[0].Failure; f.Stage != failure.StageAuth || f.Category != "protocol_error" {
			t.Errorf("%v", f)
		}
	})
}

// TestHELO is for servers from before 1995.
func TestHELO(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{HELO: "worker.example"})
	h.On(smtptest.EHLO, smtptest.Reply(502, "what?"))
	if got := brief(h.send(t)); got != "250" || h.Count(smtptest.HELO) != 1 {
		t.Errorf("%q after %d HELO", got, h.Count(smtptest.HELO))
	}
}
