package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/worker"
)

// platform is a store with the platform's account alone.
type platform struct{ account resolver.Account }

func (p platform) Accounts(context.Context, string, string) (resolver.Candidates, error) {
	return resolver.Candidates{Platform: &p.account}, nil
}

// newStore is one whose account sends through a server.
func newStore(s *smtptest.Server) platform {
	return platform{resolver.Account{
		Level: resolver.Platform, Address: "noreply@platform.example", Trusted: true, ForceSender: true,
		SMTP: resolver.SMTP{Host: "127.0.0.1", Port: s.Port(), Encryption: resolver.None},
	}}
}

// TestFaults: all that is wrong is told at once, and no secret.
func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := worker.New(worker.Options{
		Concurrency: -1, AttemptTimeout: time.Hour, ShutdownTimeout: time.Second, Retry: worker.Retry{Factor: 0.5},
		HELO: "two words", AllowPorts: []int{70000}, Identities: rohrpost.NewSecret("hunter2"),
	})
	for _, fault := range []string{
		"a Redis client is required", "a store of accounts is required", "concurrency", "attempt timeout", "shutdown timeout", "factor",
		"HELO", "port 70000", "secrets.identity",
	} {
		if err == nil || strings.Count(err.Error(), fault) != 1 {
			t.Errorf("%q is not told once: %v", fault, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// TestRun sends a mail, and ends when it is told to.
func TestRun(t *testing.T) {
	t.Parallel()
	rdb, server := redistest.Start(t).Client(t), smtptest.Start(t, smtptest.Options{})
	mail, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(*worker.Worker, context.CancelFunc) error{
		"context": func(_ *worker.Worker, cancel context.CancelFunc) error { cancel(); return nil },
		"close":   func(w *worker.Worker, _ context.CancelFunc) error { return w.Close() },
	} {
		m := rohrpost.Message{ID: name, To: []rohrpost.Address{{Address: "anna@example.org"}}, Subject: "Test", Text: "x"}
		if _, err := mail.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w, err := worker.New(worker.Options{Redis: rdb, Store: newStore(server), Concurrency: 2})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		accepted(t, mail, name)
		if err := errors.Join(end(w, cancel), <-ended, w.Close(), w.Close()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.Run(t.Context()); !errors.Is(err, worker.ErrClosed) {
			t.Errorf("%s: it runs again: %v", name, err)
		}
		cancel()
	}
	if n := len(server.Mails()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// accepted waits until a mail is.
func accepted(t *testing.T, mail *producer.Client, id string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; <-tick.C {
		st, err := mail.Status(t.Context(), id)
		if err != nil || time.Now().After(end) {
			t.Fatalf("%s: %+v, %v", id, st, err)
		}
		if st.State == rohrpost.Accepted {
			return
		}
	}
}

// TestNoRedis: Run says what is wrong with Redis, in a line.
func TestNoRedis(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	w, err := worker.New(worker.Options{Redis: redis.Client(t), Store: platform{}})
	if err != nil {
		t.Fatal(err)
	}
	redis.Kill()
	if err := w.Run(t.Context()); err == nil || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

func ExampleNew() {
	var store resolver.Store // of the application: see examples/embedded
	w, err := worker.New(worker.Options{Store: store})
	if err != nil {
		return // all that is wrong with the options
	}
	defer func() { _ = w.Close() }()
	_ = w.Run(context.Background())
}
