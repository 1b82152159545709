package app

import (
	"fmt"
	"os"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestOneRefusedLogin: fifty mails wait behind a wrong password, and the mailbox
// sees one login.
func TestOneRefusedLogin(t *testing.T) {
	t.Parallel()
	cfg, _, mail := setUp(t)
	server := smtptest.Start(t, smtptest.Options{Username: "noreply@platform.example", Password: "right"})
	text := fmt.Sprintf("platform:\n  address: noreply@platform.example\n  smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, password: wrong}\n", server.Port())
	if err := os.WriteFile(string(cfg.Accounts.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const mails = 50
	var batch []rohrpost.Message
	for n := range mails {
		batch = append(batch, rohrpost.Message{ID: fmt.Sprint("m", n), To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"})
	}
	if _, err := mail.SendBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	startApp(t, cfg, Roles{Worker: true})
	var ids []string
	for _, m := range batch {
		ids = append(ids, m.ID)
	}
	waitStates(t, mail, ids, rohrpost.Parked)
	if n := server.Count(smtptest.AUTH); n != 1 {
		t.Errorf("%d logins", n)
	}
}
