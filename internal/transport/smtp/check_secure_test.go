package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

func TestCheckCertificate(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	const expired, name, authority = 10, 9, 8 // rules
	for _, c := range []struct {
		name   string
		config *tls.Config
		rule   int
		names  []string
		ended  bool
	}{
		{"expired", ca.Expired("mail.example"), expired, []string{"mail.example"}, true},
		{"other name", ca.Valid("other.example", "192.0.2.1"), name, []string{"other.example", "192.0.2.1"}, false},
		{"self-signed", smtptest.SelfSigned(t, "mail.example"), authority, []string{"mail.example"}, false},
	} {
		for _, encryption := range []smtp.Encryption{smtp.STARTTLS, smtp.TLS} {
			t.Run(c.name+" "+string(encryption), func(t *testing.T) {
				t.Parallel()
				h := setup(t, smtptest.Options{
					TLS: c.config, Implicit: encryption == smtp.TLS, Username: "max", Password: "geheim",
				}, smtp.Options{RootCAs: ca.Pool()})
				h.server.Host, h.server.Encryption, h.server.AllowPlaintextLogin = "mail.example", encryption, false
				steps := h.inspect(t, both)
				got := step(t, steps, smtp.StepCertificate)
				if got.Failure == nil || got.Failure.Rule != c.rule || !slices.Equal(got.Names, c.names) || got.NotAfter.Before(time.Now()) != c.ended {
					t.Errorf("%s: %+v", story(steps), got)
				}
				if e := step(t, steps, smtp.StepEncryption); e.Failure != nil || e.TLSVersion != "" {
					t.Errorf("%+v", e)
				}
				if h.Count(smtptest.AUTH)+h.Count(smtptest.MAIL) != 0 {
					t.Errorf("went on: %v", h.Counts())
				}
			})
		}
	}
}

func TestCheckEncryption(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	old := ca.Valid("127.0.0.1")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for _, c := range []struct {
		name       string
		config     *tls.Config
		implicit   bool
		encryption smtp.Encryption
		rule       int
	}{
		{"STARTTLS is not offered", nil, false, smtp.STARTTLS, 12},
		{"TLS 1.1", old, false, smtp.STARTTLS, 11},
		{"TLS on a STARTTLS port", ca.Valid("127.0.0.1"), false, smtp.TLS, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{TLS: c.config, Implicit: c.implicit}, smtp.Options{RootCAs: ca.Pool()})
			h.server.Encryption = c.encryption
			got := step(t, h.inspect(t, both), smtp.StepEncryption)
			if got.Failure == nil || got.Failure.Rule != c.rule {
				t.Errorf("%v", got.Failure)
			}
		})
	}
}

func TestCheckMethods(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	h := setup(t, smtptest.Options{TLS: ca.Valid("127.0.0.1"), Username: "max", Password: "geheim"}, smtp.Options{RootCAs: ca.Pool()})
	h.server.Encryption = smtp.STARTTLS
	h.Once(smtptest.EHLO, smtptest.Answer{}, smtptest.Reply(250, "smtptest.example", "SIZE 1"))
	steps := h.inspect(t, both)
	if got := step(t, steps, smtp.StepMethods).Mechanisms; len(got) != 0 {
		t.Errorf("%q", got)
	}
	if f := step(t, steps, smtp.StepLogin).Failure; !errors.Is(f, failure.ErrNoAuth) {
		t.Errorf("%v", f)
	}
}

func TestCheckToken(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	refused, accepted := smtptest.Reply(535, "5.7.3 no"), smtptest.Reply(235, "2.7.0 yes")
	broken := failure.Classify(failure.Cause{Stage: failure.StageToken, APICode: "invalid_grant", Reply: failure.Reply{Code: 400, Lines: []string{"revoked"}}})
	for _, c := range []struct {
		name     string
		answers  []smtptest.Answer
		tokenErr error
		want     string // category
		tokens   int
		sessions int
	}{
		{"good", []smtptest.Answer{accepted}, nil, "", 1, 1},
		{"refused once", []smtptest.Answer{refused, accepted}, nil, "", 2, 2},
		{"refused twice", []smtptest.Answer{refused, refused}, nil, "oauth_expired", 2, 2},
		{"disturbed", []smtptest.Answer{smtptest.Reply(454, "4.7.0 later")}, nil, "temporary_server", 1, 1},
		{"no token", nil, broken, "oauth_expired", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{TLS: ca.Valid("127.0.0.1"), Username: "max", Mechanisms: []string{"XOAUTH2"}}, smtp.Options{RootCAs: ca.Pool()})
			h.Once(smtptest.AUTH, c.answers...)
			h.server.Encryption, h.server.AllowPlaintextLogin = smtp.STARTTLS, false
			tokens := 0
			h.server.Token = func(_ context.Context, rejected secret.String) (secret.String, error) {
				if tokens++; (tokens > 1) != (rejected.Reveal() == "token 1") {
					t.Errorf("token %d: %q was rejected", tokens, rejected.Reveal())
				}
				return secret.New(fmt.Sprintf("token %d", tokens)), c.tokenErr
			}
			steps := h.inspect(t, both)
			category := ""
			if f := step(t, steps, smtp.StepLogin).Failure; f != nil {
				category = f.Category
			}
			if category != c.want || tokens != c.tokens || h.Sessions() != c.sessions {
				t.Errorf("%q after %d tokens in %d sessions: %s", category, tokens, h.Sessions(), story(steps))
			}
			if passed := h.Count(smtptest.RCPT) == 1; passed != (c.want == "") {
				t.Errorf("%v", h.Counts())
			}
		})
	}
}

func TestCheckKeepsSecrets(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{Username: "max", Password: "geheim"}, smtp.Options{})
	h.server.Password = secret.New("kanarienvogel")
	h.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 bad password=kanarienvogel AG1heABrYW5hcmllbnZvZ2Vs"))
	f := failed(h.inspect(t, both))
	if f == nil || strings.Contains(f.Error(), "kanarienvogel") || strings.Contains(f.Error(), "AG1heABrYW5hcmllbnZvZ2Vs") {
		t.Errorf("%v", f)
	}
}
