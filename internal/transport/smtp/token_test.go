package smtp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

const (
	mailbox  = "max@acme.example"
	oldToken = "ya29.a0AfB_byC-this-one-has-been-revoked"
	newToken = "ya29.a0AfB_byD-this-one-is-good-for-an-hour"
)

// tokens is a source that gives one token after the other, and notes which it
// was told of as rejected. It keeps the transport's log, too.
type tokens struct {
	log bytes.Buffer

	mu       sync.Mutex
	next     []string
	err      error // when there is none left
	rejected []string
}

func (s *tokens) source(_ context.Context, rejected secret.String) (secret.String, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = append(s.rejected, rejected.Reveal())
	if len(s.next) == 0 {
		return secret.String{}, s.err
	}
	token := s.next[0]
	s.next = s.next[1:]
	return secret.New(token), nil
}

// setupToken is a server that takes newToken of mailbox, over STARTTLS, and a
// transport whose source has these tokens.
func setupToken(t *testing.T, o smtptest.Options, give ...string) (*harness, *tokens) {
	t.Helper()
	ca := smtptest.NewAuthority(t)
	o.TLS = ca.Valid("127.0.0.1")
	if o.Token == nil {
		o.Token = func(user, token string) bool { return user == mailbox && token == newToken }
	}
	source := &tokens{next: give, err: errors.New("no token left")}
	h := setup(t, o, smtp.Options{RootCAs: ca.Pool(), Logger: zerolog.New(&source.log)})
	h.server.Encryption, h.server.Authentication = smtp.STARTTLS, true
	h.server.Username, h.server.Token = mailbox, source.source
	return h, source
}

func TestToken(t *testing.T) {
	t.Parallel()
	unknown := &failure.Failure{Stage: failure.StageToken, Class: failure.Config, Category: "oauth_expired"}
	for _, c := range []struct {
		name     string
		options  smtptest.Options
		give     []string
		err      error // of the source, after those
		want     string
		rejected []string // what the source was told, call by call
		logins   int
		sessions int
	}{
		{"XOAUTH2", smtptest.Options{}, []string{newToken}, nil, "250", []string{""}, 1, 1},
		{"OAUTHBEARER", smtptest.Options{Mechanisms: []string{"PLAIN", "OAUTHBEARER"}}, []string{newToken}, nil, "250", []string{""}, 1, 1},
		{"both", smtptest.Options{Mechanisms: []string{"OAUTHBEARER", "XOAUTH2"}}, []string{newToken}, nil, "250", []string{""}, 1, 1},
		{"neither", smtptest.Options{Mechanisms: []string{"PLAIN", "LOGIN"}}, []string{newToken}, nil, "auth -", []string{""}, 0, 1},

		{"refused, then good", smtptest.Options{}, []string{oldToken, newToken}, nil, "250", []string{"", oldToken}, 2, 2},
		{"refused, then good, OAUTHBEARER", smtptest.Options{Mechanisms: []string{"OAUTHBEARER"}}, []string{oldToken, newToken}, nil, "250", []string{"", oldToken}, 2, 2},
		{"refused at once, then good", smtptest.Options{RefuseAtOnce: true}, []string{oldToken, newToken}, nil, "250", []string{"", oldToken}, 2, 2},
		{"refused twice", smtptest.Options{}, []string{oldToken, oldToken, newToken}, nil, "auth 535", []string{"", oldToken}, 2, 2},

		{"source fails", smtptest.Options{}, nil, unknown, "token -", []string{""}, 0, 0},
		{"source fails with another error", smtptest.Options{}, nil, io.ErrUnexpectedEOF, "token -", []string{""}, 0, 0},
		{"refused, then the source fails", smtptest.Options{}, []string{oldToken}, unknown, "token -", []string{"", oldToken}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, source := setupToken(t, c.options, c.give...)
			source.err = c.err
			verdicts := h.send(t)
			if got := brief(verdicts); got != c.want {
				t.Errorf("verdicts %q, want %q", got, c.want)
			}
			if f := verdicts[0].Failure; errors.Is(c.err, unknown) && (f.Stage != unknown.Stage || f.Category != unknown.Category || f.Rule != unknown.Rule) {
				t.Errorf("the source's failure became %v", f)
			}
			if diff := cmp.Diff(c.rejected, source.rejected); diff != "" {
				t.Errorf("rejected: %s", diff)
			}
			if got := h.Count(smtptest.AUTH); got != c.logins || h.Sessions() != c.sessions {
				t.Errorf("%d logins in %d sessions, want %d in %d", got, h.Sessions(), c.logins, c.sessions)
			}
			for _, m := range h.Mails() {
				if !m.TLS || m.Username != mailbox {
					t.Errorf("TLS %v, user %q", m.TLS, m.Username)
				}
			}
		})
	}
}

// TestTokenReplies are what servers say to a token (providers.md §1.6, §2.5).
func TestTokenReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		answer   smtptest.Answer // to each AUTH
		asked    int             // how often for a token
		class    failure.Class
		category string
	}{
		{"Exchange", smtptest.Reply(535, "5.7.3 Authentication unsuccessful [FR0P281CA0077.DEUP281.PROD.OUTLOOK.COM]"), 2, failure.Config, "oauth_expired"},
		{"SMTP AUTH is off", smtptest.Reply(535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."), 2, failure.Config, "auth_disabled"},
		{"closed after it", smtptest.Reply(535, "5.7.3 Authentication unsuccessful").ThenCut(), 2, failure.Config, "oauth_expired"},
		{"no XOAUTH2 any more", smtptest.Reply(504, "5.7.4 XOAUTH is no longer supported"), 2, failure.Config, "config_invalid"},
		{"too many logins", smtptest.Reply(454, "4.7.0 Too many login attempts, please try again later."), 1, failure.Throttle, "rate_limited"},
		{"temporary", smtptest.Reply(454, "4.7.0 Cannot authenticate due to temporary system problem"), 1, failure.Transient, "temporary_server"},
		{"cut", smtptest.Cut(), 1, failure.Transient, "connection_lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, source := setupToken(t, smtptest.Options{}, oldToken, newToken)
			h.On(smtptest.AUTH, c.answer)
			f := h.send(t)[0].Failure
			if f == nil || f.Stage != failure.StageAuth || f.Class != c.class || f.Category != c.category {
				t.Errorf("failure %v of class %s, want %s %s", f, f.Class, c.class, c.category)
			}
			if len(source.rejected) != c.asked {
				t.Errorf("asked %d times for a token, want %d", len(source.rejected), c.asked)
			}
		})
	}
}

// TestTokenSession keeps a session that is logged in, whatever becomes of its
// token, and asks for one only to log in.
func TestTokenSession(t *testing.T) {
	t.Parallel()
	h, source := setupToken(t, smtptest.Options{}, newToken, newToken)
	for range 3 {
		h.send(t)
	}
	if h.Sessions() != 1 || len(source.rejected) != 1 {
		t.Errorf("%d sessions, %d tokens for three mails", h.Sessions(), len(source.rejected))
	}
	h.Once(smtptest.MAIL, smtptest.Cut())
	if got := brief(h.send(t)); got != "250" || h.Sessions() != 2 || len(source.rejected) != 2 {
		t.Errorf("%q after the session died: %d sessions, %d tokens", got, h.Sessions(), len(source.rejected))
	}
}

// TestTokenStaysSecret lets the server echo the token, and looks for it in
// everything that is said.
func TestTokenStaysSecret(t *testing.T) {
	t.Parallel()
	h, source := setupToken(t, smtptest.Options{}, oldToken, newToken)
	h.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 not accepted: auth=Bearer "+oldToken, newToken))
	f := h.send(t)[0].Failure
	text := fmt.Sprintf("%v %+v %q %s", f, f, f.Unwrap(), source.log.String())
	if !strings.Contains(text, "not accepted") || !strings.Contains(text, "refused") {
		t.Errorf("nothing to look at: %s", text)
	}
	for _, token := range []string{oldToken, newToken} {
		if strings.Contains(text, token) || strings.Contains(text, token[10:]) {
			t.Errorf("a token is in %q", text)
		}
	}
}

func TestTokenSettings(t *testing.T) {
	t.Parallel()
	h, source := setupToken(t, smtptest.Options{}, newToken)
	for name, change := range map[string]func(*smtp.Server){
		"no user name":          func(s *smtp.Server) { s.Username = "" },
		"separator in the name": func(s *smtp.Server) { s.Username = "max\x01auth=Bearer x" },
		"no encryption":         func(s *smtp.Server) { s.Encryption = smtp.None },
		"allowed in clear text": func(s *smtp.Server) { s.Encryption, s.AllowPlaintextLogin = smtp.None, true },
	} {
		s := h.server
		change(&s)
		out, err := h.transport.Send(t.Context(), s, mailTo(rcpt...), h.arm)
		if err != nil || !errors.Is(out.Verdicts[0].Failure, failure.ErrSettings) {
			t.Errorf("%s: %v, %v", name, out.Verdicts, err)
		}
	}
	if len(source.rejected) != 0 || h.dials.Load() != 0 {
		t.Errorf("asked for %d tokens, dialed %d times", len(source.rejected), h.dials.Load())
	}
	h.server.Authentication = false
	h.send(t)
	if len(source.rejected) != 0 {
		t.Error("asked for a token although no login is wanted")
	}
}

// TestLongToken sends a token in whatever form its length allows, for a user name
// with the special characters of OAUTHBEARER.
func TestLongToken(t *testing.T) {
	t.Parallel()
	const user = "a=b,c=2C@acme.example"
	for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
		for _, length := range []int{10, 3000, 9100, 9200, 20_000} {
			token := strings.Repeat("x", length)
			h, _ := setupToken(t, smtptest.Options{
				Mechanisms: []string{mechanism},
				Token:      func(u, got string) bool { return u == user && got == token },
			}, token)
			h.server.Username = user
			if got := brief(h.send(t)); got != "250" {
				t.Errorf("%s, token of %d octets: %q", mechanism, length, got)
			}
		}
	}
}
