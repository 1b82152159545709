package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestThere: a worker gets what was asked for, secrets and all, and Redis holds none.
func TestThere(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	want := try("acme")
	s.serve(func(ctx context.Context, got accounts.Try) (accounts.Result, error) {
		password := got.Unsaved.Account.SMTP.Password
		if password.Reveal() != canary {
			t.Errorf("the password is %q", password.Reveal())
		}
		if diff := cmp.Diff(printed(t, want), printed(t, got)); diff != "" {
			t.Errorf("(-asked +got):\n%s", diff)
		}
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > patience {
			t.Errorf("until %v", deadline)
		}
		return accounts.Result{Accepted: true, Code: 250, TookMS: 7, To: got.To.Address}, nil
	})
	got, err := s.client.TestMail(t.Context(), want)
	if diff := cmp.Diff(accounts.Result{Accepted: true, Code: 250, TookMS: 7, To: "anna@acme.example"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	report, err := s.client.Examine(t.Context(), accounts.Try{Place: resolver.Place{Tenant: "globex"}})
	if err != nil || report.Host != "tenant/globex" || time.Duration(report.Took) != time.Millisecond {
		t.Errorf("%+v, %v", report, err)
	}
	if !want.Unsaved.Account.SMTP.Password.Equal(resolver.NewSecret(canary)) {
		t.Error("asking has changed the settings")
	}
	keys, err := s.rdb.Keys(t.Context(), "*trial*").Result()
	for _, key := range keys {
		if key != workersKey && key != runningKey {
			t.Errorf("%s is left, %v", key, err)
		}
	}
}

func printed(t *testing.T, try accounts.Try) string {
	t.Helper()
	text, err := json.MarshalIndent(try, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSealed: nothing of a request can be read in Redis, or put into another one.
func TestSealed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	unsaved := try("acme")
	text, err := encode(testMail, &unsaved, s.client.box)
	if err != nil || !seal.IsSealed(text) || strings.Contains(text, "acme") || strings.Contains(text, canary) {
		t.Errorf("%s, %v", text, err)
	}
	none, err := seal.New(seal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encode(testMail, &unsaved, none); !errors.Is(err, ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
	unsaved.Unsaved.Account.SMTP.Password = resolver.Secret{}
	open, err := encode(testMail, &unsaved, none)
	if err != nil {
		t.Fatal(err)
	}
	if k, got, err := decode(open, none); err != nil || k != testMail || printed(t, got) != printed(t, unsaved) {
		t.Errorf("what holds no secret: %s %+v, %v", k, got, err)
	}
}

// TestErrors keep what they are; what nobody may know stays with the worker.
func TestErrors(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, test := range []struct {
		err, is error
		text    string
	}{
		{redisstore.ErrForbidden, redisstore.ErrForbidden, "not allowed"},
		{fmt.Errorf("x: %w", redisstore.ErrLocked), redisstore.ErrLocked, "x: own mail servers are locked"},
		{fmt.Errorf("tenant/acme: %w", redisstore.ErrUnknown), redisstore.ErrUnknown, "tenant/acme: there is no"},
		{redisstore.ErrConflict, redisstore.ErrConflict, "somebody else"},
		{fmt.Errorf("to: %w (known here: a@b.example)", accounts.ErrRecipient), accounts.ErrRecipient, "a@b.example"},
		{fmt.Errorf("%w: stat /run/%s", resolver.ErrUnusable, canary), resolver.ErrUnusable, "cannot be used"},
		{fmt.Errorf("open: %w", seal.ErrNoIdentity), ErrWrongKey, "secrets.identity_file"},
		{errors.New("dial tcp " + canary), ErrFailed, "worker's log"},
	} {
		stop := s.serve(func(context.Context, accounts.Try) (accounts.Result, error) { return accounts.Result{}, test.err })
		_, err := s.client.TestMail(t.Context(), try("acme"))
		if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), canary) {
			t.Errorf("%v: %v", test.err, err)
		}
		stop()
	}
	stop := s.serve(func(context.Context, accounts.Try) (accounts.Result, error) {
		return accounts.Result{}, errors.Join(&rohrpost.FieldError{Field: "smtp.host", Problem: "is missing"}, &rohrpost.FieldError{Field: "address", Problem: "is missing"})
	})
	_, err := s.client.TestMail(t.Context(), try("acme"))
	if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "smtp.host" || !strings.Contains(err.Error(), "address: is missing") {
		t.Errorf("%v", err)
	}
	stop()
	s.serve(func(context.Context, accounts.Try) (accounts.Result, error) { panic(canary) })
	if _, err := s.client.TestMail(t.Context(), try("acme")); !errors.Is(err, ErrFailed) {
		t.Errorf("a panic: %v", err)
	}
	s.keys()
	if _, err := s.client.TestMail(t.Context(), try("acme")); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
}

// TestNoWorker says so in a few seconds, and nothing stays behind for one that starts
// later.
func TestNoWorker(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	start := time.Now()
	if _, err := s.client.TestMail(t.Context(), try("acme")); !errors.Is(err, ErrNoWorker) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if keys, err := s.rdb.Keys(t.Context(), "*trial*").Result(); err != nil || len(keys) != 0 {
		t.Errorf("left: %v, %v", keys, err)
	}
}

// TestOnce: many workers, and each request is tried by one of them.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var tried atomic.Int32
	for range 4 {
		s.serve(func(context.Context, accounts.Try) (accounts.Result, error) {
			tried.Add(1)
			return accounts.Result{Accepted: true}, nil
		})
	}
	s.ping()
	const requests = 40
	errs := make(chan error, requests)
	for n := range requests {
		go func() {
			_, err := s.client.TestMail(t.Context(), try(fmt.Sprint("tenant", n)))
			errs <- err
		}()
	}
	for range requests {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := tried.Load(); n != requests {
		t.Errorf("%d requests were tried %d times", requests, n)
	}
}

// TestBusy: a tenant has one request at a time, a worker two; who gives up leaves
// nothing behind that is tried later.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	began, release := make(chan string, 10), make(chan struct{})
	s.serve(func(ctx context.Context, try accounts.Try) (accounts.Result, error) {
		began <- try.Place.Tenant
		select {
		case <-release:
		case <-ctx.Done():
		}
		return accounts.Result{Accepted: true}, nil
	})
	s.ping()
	errs := make(chan error, 2)
	for _, tenant := range []string{"acme", "globex"} {
		go func() {
			_, err := s.client.TestMail(t.Context(), try(tenant))
			errs <- err
		}()
		<-began
	}
	if _, err := s.client.TestMail(t.Context(), try("acme")); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one of a tenant: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := s.client.TestMail(ctx, try("initech")); !errors.Is(err, ErrBusy) {
		t.Errorf("a third one: %v", err)
	}
	close(release)
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s.ping()
	if len(began) != 0 {
		t.Errorf("what was given up is tried: %s", <-began)
	}
}

// TestLost: the worker ends without a word. Nobody tries it again.
func TestLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	errs := make(chan error)
	go func() {
		_, err := s.client.TestMail(t.Context(), try("acme"))
		errs <- err
	}()
	dead, err := NewServer(ServerOptions{Redis: s.rdb, Box: s.opens, Accounts: service{}})
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for taken := []string(nil); len(taken) == 0; <-tick.C { // and then nothing
		if taken, err = dead.take(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	s.serve(func(context.Context, accounts.Try) (accounts.Result, error) {
		t.Error("it is tried again")
		return accounts.Result{}, nil
	})
	if err := <-errs; !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "nobody knows") {
		t.Errorf("%v", err)
	}
}

// TestSlow: a worker may take longer than its lease.
func TestSlow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.serve(func(ctx context.Context, _ accounts.Try) (accounts.Result, error) {
		select {
		case <-time.After(lease + 2*beat):
			return accounts.Result{Accepted: true}, nil
		case <-ctx.Done():
			return accounts.Result{}, ctx.Err()
		}
	})
	if r, err := s.client.TestMail(t.Context(), try("acme")); err != nil || !r.Accepted {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestStop: a worker that is told to stop interrupts what it tries, and says so.
func TestStop(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	began := make(chan struct{})
	stop := s.serve(func(ctx context.Context, _ accounts.Try) (accounts.Result, error) {
		close(began)
		<-ctx.Done()
		return accounts.Result{Category: "interrupted"}, nil
	})
	errs := make(chan error)
	var got accounts.Result
	go func() {
		var err error
		got, err = s.client.TestMail(t.Context(), try("acme"))
		errs <- err
	}()
	<-began
	stop()
	if err := <-errs; err != nil || got.Category != "interrupted" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAway: without Redis nothing was asked for, and that is said.
func TestAway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if err := s.rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.TestMail(t.Context(), try("acme")); !errors.Is(err, doctor.ErrUncounted) {
		t.Errorf("%v", err)
	}
}

// TestCluster: all keys of a request share a slot.
func TestCluster(t *testing.T) {
	t.Parallel()
	s := &stage{T: t, rdb: redistest.StartCluster(t, 0).Client(t)}
	s.keys()
	s.serve(func(context.Context, accounts.Try) (accounts.Result, error) {
		return accounts.Result{Accepted: true}, nil
	})
	if r, err := s.client.TestMail(t.Context(), try("a}{cme")); err != nil || !r.Accepted {
		t.Errorf("%+v, %v", r, err)
	}
}
