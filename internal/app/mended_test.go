package app

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// waitStates waits until all mails are in a state.
func waitStates(t *testing.T, mail *producer.Client, ids []string, want rohrpost.State) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(30 * time.Second)
	for _, id := range ids {
		for {
			st, err := mail.Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if st.State == want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is %s, want %s", id, st.State, want)
			}
			<-tick.C
		}
	}
}

// TestReload: whoever asks for it has the accounts file read again, changed or not.
func TestReload(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	var said bytes.Buffer
	a, err := New(Options{Config: cfg, Roles: Roles{Worker: true}, Logger: zerolog.New(zerolog.SyncWriter(&said))})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Reload()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "accounts reloaded") {
		t.Errorf("%s", said.String())
	}
}

// TestFreedAlike: all mails that wait for settings go at once with new ones, whatever they
// have met: a refused sender, which blocks no other mail, a refused login, a certificate.
func TestFreedAlike(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(*smtptest.Server){
		"sender": func(s *smtptest.Server) {
			s.On(smtptest.MAIL, smtptest.Reply(553, "5.7.1 Sender address rejected: not owned by user"))
		},
		"login": func(s *smtptest.Server) {
			s.On(smtptest.MAIL, smtptest.Reply(530, "5.7.57 Client not authenticated to send mail"))
		},
		"relay": func(s *smtptest.Server) { s.On(smtptest.Banner, smtptest.Reply(554, "5.7.1 no SMTP service here")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, _, mail := setUp(t)
			server := smtptest.Start(t, smtptest.Options{})
			refuse(server)
			write := func(address string) {
				text := fmt.Sprintf("platform:\n  address: %s\n  smtp: {host: 127.0.0.1, port: %d, encryption: none}\n", address, server.Port())
				if err := os.WriteFile(string(cfg.Accounts.File), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("old@platform.example")
			startApp(t, cfg, Roles{Worker: true})
			var ids []string
			for n := range 10 {
				ids = append(ids, fmt.Sprint("m", n))
				if _, err := mail.Send(t.Context(), rohrpost.Message{ID: ids[n], To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"}); err != nil {
					t.Fatal(err)
				}
			}
			until(t, "attempts", func() bool { // of a server that is down the others wait untried
				tried := 0
				for _, id := range ids {
					if st, err := mail.Status(t.Context(), id); err == nil && (st.State == rohrpost.Deferred || st.State == rohrpost.Parked) {
						tried++
					}
				}
				return tried >= 3
			})
			server.On(smtptest.MAIL, smtptest.Answer{})
			server.On(smtptest.Banner, smtptest.Answer{})
			write("new@platform.example")
			waitStates(t, mail, ids, rohrpost.Accepted)
		})
	}
}

// TestMendedWhileStopped: a password in the accounts file that is mended while no worker
// runs frees the parked mails at once when one starts; one that is mended while workers
// run does so within seconds.
func TestMendedWhileStopped(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"while it is stopped": true, "while it runs": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, _, mail := setUp(t)
			server := smtptest.Start(t, smtptest.Options{Username: "noreply@platform.example", Password: "right"})
			write := func(password string) {
				text := fmt.Sprintf("platform:\n  address: noreply@platform.example\n  smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, password: %s}\n", server.Port(), password)
				if err := os.WriteFile(string(cfg.Accounts.File), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("wrong")
			var batch []rohrpost.Message
			var ids []string
			for n := range 40 {
				ids = append(ids, fmt.Sprint("m", n))
				batch = append(batch, rohrpost.Message{ID: ids[n], To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"})
			}
			if _, err := mail.SendBatch(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			first, err := New(Options{Config: cfg, Roles: Roles{Worker: true}})
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			waitStates(t, mail, ids, rohrpost.Parked)
			if stopped {
				if err := first.Stop(); err != nil {
					t.Fatal(err)
				}
				write("right")
				startApp(t, cfg, Roles{Worker: true})
			} else {
				defer func() { _ = first.Stop() }()
				write("right")
			}
			waitStates(t, mail, ids, rohrpost.Accepted)
		})
	}
}
