package session_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/session"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	os.Exit(m.Run())
}

var maxi = session.Session{Way: "link", Issuer: "crm", Name: "4711", Called: "Max", Role: "admin", Tenant: "acme", Language: "de"}

func begin(t *testing.T, s *session.Store, one session.Session) (id string) {
	t.Helper()
	id, err := s.Begin(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSession(t *testing.T) {
	t.Parallel()
	server, now := redistest.Start(t), time.Now().UTC()
	client := server.Client(t)
	s := session.New(client, func() time.Time { return now })
	id, second := begin(t, s, maxi), begin(t, s, maxi)
	if len(id) < 26 || id == second {
		t.Errorf("ids %s, %s", id, second)
	}
	want := maxi
	want.Began = now
	other := session.New(server.Client(t), time.Now) // of another process
	if got, err := other.Get(t.Context(), id); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%s %v", cmp.Diff(want, got), err)
	}
	for _, bad := range []string{"", id + "x", strings.ToLower(id), id[:25]} {
		if _, err := s.Get(t.Context(), bad); !errors.Is(err, session.ErrNone) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := s.End(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := other.Get(t.Context(), id); !errors.Is(err, session.ErrNone) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := s.Get(t.Context(), second); err != nil {
		t.Errorf("the other one: %v", err)
	}
}

// TestNoIDInRedis: whoever reads Redis has no id to come in with.
func TestNoIDInRedis(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	s := session.New(client, time.Now)
	id := begin(t, s, maxi)
	for _, key := range client.Keys(t.Context(), "*").Val() {
		dump := client.Dump(t.Context(), key).Val()
		if strings.Contains(key+dump, id) || !strings.HasPrefix(key, "rohrpost:session:") {
			t.Errorf("%s %q", key, dump)
		}
		if client.TTL(t.Context(), key).Val() <= 0 {
			t.Errorf("%s has no end", key)
		}
		if _, err := s.Get(t.Context(), strings.TrimPrefix(key, "rohrpost:session:")); !errors.Is(err, session.ErrNone) {
			t.Errorf("the name of the key is an id: %v", err)
		}
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	client, now := redistest.Start(t).Client(t), time.Now()
	s := session.New(client, func() time.Time { return now })
	id := begin(t, s, maxi)
	var key string
	for _, k := range client.Keys(t.Context(), "*").Val() {
		if !strings.Contains(k, ":of:") {
			key = k
		}
	}
	if ttl := client.TTL(t.Context(), key).Val(); ttl > session.Idle || ttl < session.Idle-time.Minute {
		t.Errorf("it lives for %v", ttl)
	}
	client.Expire(t.Context(), key, time.Minute)
	if _, err := s.Get(t.Context(), id); err != nil || client.TTL(t.Context(), key).Val() < session.Idle-time.Minute {
		t.Errorf("its use does not renew it, or %v", err)
	}
	now = now.Add(session.Longest - 1)
	if _, err := s.Get(t.Context(), id); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	now = now.Add(1)
	if _, err := s.Get(t.Context(), id); !errors.Is(err, session.ErrNone) {
		t.Errorf("after a week: %v", err)
	}
}

func TestEndAll(t *testing.T) {
	t.Parallel()
	client, now := redistest.Start(t).Client(t), time.Now()
	s := session.New(client, func() time.Time { return now })
	mine := []string{begin(t, s, maxi), begin(t, s, maxi)}
	others := map[string]session.Session{}
	for _, change := range []func(*session.Session){
		func(o *session.Session) { o.Name = "4712" }, func(o *session.Session) { o.Issuer = "shop" }, func(o *session.Session) { o.Way = "password" },
	} {
		o := maxi
		change(&o)
		others[begin(t, s, o)] = o
	}
	if err := s.EndAll(t.Context(), maxi); err != nil {
		t.Fatal(err)
	}
	for _, id := range mine {
		if _, err := s.Get(t.Context(), id); !errors.Is(err, session.ErrNone) {
			t.Errorf("%v", err)
		}
	}
	for id, o := range others {
		if _, err := s.Get(t.Context(), id); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	// What has ended is not remembered for ever.
	begin(t, s, maxi)
	now = now.Add(session.Longest)
	begin(t, s, maxi)
	for _, key := range client.Keys(t.Context(), "*:of:*").Val() {
		if n := client.ZCard(t.Context(), key).Val(); n > 1 {
			t.Errorf("%s has %d", key, n)
		}
	}
}

// TestFrozen: a Redis that does not answer is given up after two seconds.
func TestFrozen(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := session.New(server.Client(t), time.Now)
	id := begin(t, s, maxi)
	server.Pause()
	defer server.Resume()
	begin := time.Now()
	_, err := s.Get(context.Background(), id)
	if took := time.Since(begin); err == nil || errors.Is(err, session.ErrNone) || took > 3*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}
