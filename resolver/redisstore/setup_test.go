package redisstore_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

var (
	olga = redisstore.Actor{Name: "olga", Role: redisstore.Operator}
	anna = redisstore.Actor{Name: "anna", Role: redisstore.Admin, Tenant: "acme"}
)

const canary = "canary-hunter2"

// start is a Redis of its own, and how to open stores on it.
func start(t testing.TB) (redis.UniversalClient, redisstore.Options) {
	t.Helper()
	rdb := redistest.Start(t).Client(t)
	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return rdb, redisstore.Options{Redis: rdb, Identities: identity}
}

func open(t testing.TB, o redisstore.Options) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run keeps the store up to date for the time of the test.
func run(t testing.TB, s *redisstore.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func put(t testing.TB, s *redisstore.Store, p resolver.Place, version int64, e *resolver.Entry) int64 {
	t.Helper()
	version, err := s.Put(t.Context(), olga, p, version, e)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func get(t testing.TB, s *redisstore.Store, p resolver.Place) *redisstore.Record {
	t.Helper()
	r, err := s.Get(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entry is an account with a password.
func entry(address string) *resolver.Entry {
	return &resolver.Entry{Account: &resolver.Settings{
		Address: address, SMTP: &resolver.SMTPSettings{Host: "smtp.acme.example", Password: resolver.NewSecret(canary)},
	}}
}

var (
	acme = resolver.Place{Tenant: "acme"}
	maxM = resolver.Place{Tenant: "acme", User: "max"}
)

// everything is all of Redis as text.
func everything(t testing.TB, rdb redis.UniversalClient) string {
	t.Helper()
	var all string
	keys := rdb.Keys(t.Context(), "*").Val()
	slices.Sort(keys)
	for _, key := range keys {
		all += key + " "
		values := rdb.HGetAll(t.Context(), key).Val()
		for _, field := range slices.Sorted(maps.Keys(values)) {
			all += field + values[field]
		}
		for _, e := range rdb.XRange(t.Context(), key, "-", "+").Val() {
			all += e.ID + e.Values["change"].(string)
		}
	}
	return all
}
