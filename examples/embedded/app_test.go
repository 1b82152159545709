package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestApp sends a mail through the platform's account, and reads a page.
func TestApp(t *testing.T) {
	t.Parallel()
	sink := startSink(t)
	app, err := Open(t.Context(), Config{
		Redis: startRedis(t), DB: filepath.Join(t.TempDir(), "accounts.db"), Log: zerolog.New(zerolog.NewTestWriter(t)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(context.WithoutCancel(t.Context())) }()
	defer func() {
		if err := app.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	err = app.Store.PutAccount(t.Context(), resolver.Account{
		Level: resolver.Platform, Address: "noreply@platform.example", Name: "Platform", ForceSender: true,
		SMTP: resolver.SMTP{Host: "127.0.0.1", Port: sink.port, Encryption: resolver.None},
	})
	if err != nil {
		t.Fatal(err)
	}

	receipt, err := app.Mail.Send(t.Context(), rohrpost.Message{
		Tenant: "acme", To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Ihre Rechnung", Text: "Guten Tag",
	}, producer.WithID("invoice-4711"))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case mail := <-sink.mails:
		if !strings.Contains(mail, "Subject: Ihre Rechnung") || !strings.Contains(mail, "<noreply@platform.example>") {
			t.Errorf("the mail is %s", mail)
		}
	case <-time.After(30 * time.Second):
		st, err := app.Mail.Status(t.Context(), receipt.ID)
		t.Fatalf("no mail: %+v, %v", st, err)
	}

	// A browser that follows the link is let in.
	page := httptest.NewRecorder()
	link := app.Link("http://pages.example/problems")
	app.Handler().ServeHTTP(page, httptest.NewRequest(http.MethodGet, link, http.NoBody))
	if page.Code != http.StatusSeeOther {
		text, _ := io.ReadAll(page.Body)
		t.Errorf("%s is %d: %s", link, page.Code, text)
	}
}
