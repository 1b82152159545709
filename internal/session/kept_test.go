package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/session"
)

const secretText = "canary-hunter2"

// A locker is a store with a session that keeps a text for one purpose.
type locker struct {
	*testing.T
	*session.Store
	id string
}

func (l *locker) keep(purpose string) {
	l.Helper()
	if err := l.Keep(l.Context(), l.id, purpose, secretText); err != nil {
		l.Fatal(err)
	}
}

func (l *locker) take(id, purpose, want, what string) {
	l.Helper()
	if got, err := l.Take(l.Context(), id, purpose); err != nil || got != want {
		l.Errorf("%s: %q, %v", what, got, err)
	}
}

// TestKept: a text is there once, for its session and its purpose alone.
func TestKept(t *testing.T) {
	t.Parallel()
	client, now := redistest.Start(t).Client(t), time.Now()
	s := session.New(client, func() time.Time { return now })
	l := &locker{t, s, begin(t, s, maxi)}
	other := begin(t, s, maxi) // of the same person
	l.keep("here")
	l.take(other, "here", "", "another session")
	l.take(l.id, "there", "", "another purpose")
	l.take(strings.ToLower(l.id), "here", "", "another id")
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if dump := client.Dump(t.Context(), key).Val(); strings.Contains(dump, secretText) || strings.Contains(dump, "here") {
			t.Errorf("%s %q", key, dump)
		}
		if client.TTL(t.Context(), key).Val() <= 0 {
			t.Errorf("%s has no end", key)
		}
	}
	l.take(l.id, "here", secretText, "the same")
	l.take(l.id, "here", "", "a second time")

	l.keep("here")
	now = now.Add(session.KeptFor)
	l.take(l.id, "here", "", "after its time")
}

// TestMovedText: whoever can write to Redis cannot have another session, or the same one
// for another purpose, use a text.
func TestMovedText(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	s := session.New(client, time.Now)
	l := &locker{t, s, begin(t, s, maxi)}
	mine := func() (key, field, sealed string) {
		for _, key := range client.Keys(t.Context(), "*:kept").Val() {
			for field, sealed := range client.HGetAll(t.Context(), key).Val() {
				if sealed != "" {
					return key, field, sealed
				}
			}
		}
		t.Fatal("nothing is kept")
		return "", "", ""
	}
	l.keep("here")
	_, _, victim := mine()
	l.take(l.id, "here", secretText, "the text")
	l.keep("there")
	key, field, _ := mine()
	client.HSet(t.Context(), key, field, victim)
	l.take(l.id, "there", "", "for another purpose")

	thief := &locker{t, s, begin(t, s, maxi)}
	thief.keep("here")
	key, field, _ = mine()
	client.HSet(t.Context(), key, field, victim)
	l.take(thief.id, "here", "", "in another session")
}

// TestKeptBounds: few texts, short ones, and none after the session.
func TestKeptBounds(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	s := session.New(client, time.Now)
	l := &locker{t, s, begin(t, s, maxi)}
	if err := l.Keep(t.Context(), l.id, "here", strings.Repeat("x", 1025)); !errors.Is(err, session.ErrTooLong) {
		t.Errorf("a long one: %v", err)
	}
	for n := range 30 {
		l.keep(fmt.Sprint("purpose ", n))
	}
	if n := client.HLen(t.Context(), client.Keys(t.Context(), "*:kept").Val()[0]).Val(); n > 4 {
		t.Errorf("%d are kept", n)
	}
	l.take(l.id, "purpose 29", secretText, "the last one")
	if err := s.End(t.Context(), l.id); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() error{
		"sign-out":            func() error { return s.End(t.Context(), l.id) },
		"sign-out everywhere": func() error { return s.EndAll(t.Context(), maxi) },
	} {
		l.id = begin(t, s, maxi)
		l.keep("here")
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if keys := client.Keys(t.Context(), "*:kept").Val(); len(keys) != 0 {
			t.Errorf("%s leaves %v", name, keys)
		}
	}
}
