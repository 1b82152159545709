package smtp

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	gomail "github.com/wneessen/go-mail/smtp"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// TestBearer has the messages of the two mechanisms as their specifications
// write them (developers.google.com XOAUTH2 protocol, RFC 7628 §4.1).
func TestBearer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mechanism, user, want, dismissal string }{
		{"XOAUTH2", "someuser@example.com", "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4q\x01\x01", ""},
		{"OAUTHBEARER", "user@example.com", "n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer ya29.vF9dft4q\x01\x01", "\x01"},
		{"OAUTHBEARER", "a=b,c@example.com", "n,a=a=3Db=2Cc@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer ya29.vF9dft4q\x01\x01", "\x01"},
	} {
		s := &Server{Host: "server.example.com", Port: 587, Username: c.user, Password: secret.New("ya29.vF9dft4q")}
		conn := &conn{extensions: extensions{mechanisms: []string{c.mechanism}}}
		auth := conn.bearer(s)
		name, initial, err := auth.Start(nil)
		if err != nil || name != c.mechanism || string(initial) != c.want {
			t.Errorf("%s: %q %q %v", c.mechanism, name, initial, err)
		}
		if answer, err := auth.Next(nil, true); err != nil || string(answer) != c.dismissal {
			t.Errorf("%s: the challenge is answered with %q, %v", c.mechanism, answer, err)
		}
	}
}

// TestAuthLine splits what is longer than RFC 4954 §4 wants in one line.
func TestAuthLine(t *testing.T) {
	t.Parallel()
	oneLine, twoSteps := 0, 0
	for length := 9180; length < 9230; length++ {
		b := &bearer{mechanism: "XOAUTH2", response: []byte(strings.Repeat("x", length)), dismissal: []byte{}}
		_, initial, err := b.Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		if line := "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString(initial) + "\r\n"; initial != nil {
			if oneLine++; len(line) > 12288 {
				t.Errorf("a line of %d octets", len(line))
			}
			continue
		}
		twoSteps++
		first, _ := b.Next(nil, true)
		second, _ := b.Next(nil, true)
		if len(first) != length || second == nil || len(second) != 0 {
			t.Errorf("%d octets: then %d, then %v", length, len(first), second)
		}
	}
	if oneLine == 0 || twoSteps == 0 {
		t.Errorf("%d in one line, %d in two steps: the limit is elsewhere", oneLine, twoSteps)
	}
}

// TestTokenNeedsTLS holds even where the settings' check was not asked.
func TestTokenNeedsTLS(t *testing.T) {
	t.Parallel()
	var token transport.TokenSource = func(context.Context, secret.String) (secret.String, error) { return secret.String{}, nil }
	s := &Server{Encryption: None, AllowPlaintextLogin: true, Username: "max@acme.example", Password: secret.New("geheim"), Token: token}
	c := &conn{wire: &wire{}, r: bufio.NewReader(nil), secrets: conceal.New(), extensions: extensions{mechanisms: []string{"XOAUTH2"}}}
	if f := c.login(s, 0); f == nil || f.Stage != failure.StageAuth || !errors.Is(f, gomail.ErrUnencrypted) {
		t.Errorf("login: %v", f)
	}
}
