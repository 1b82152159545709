package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// tenth is which part of the accounts never works: one of so many.
const tenth = 10

// A fault is what is wrong with an account.
type fault string

// The faults; none is "".
const (
	refusedLogin fault = "refused login" // 535: it is parked
	deadServer   fault = "dead server"   // no connection, another address for each account
	greylisted   fault = "greylisted"    // 450 for each recipient
	throttled    fault = "throttled"     // 451 to MAIL: it is asked to wait
)

func faults() []fault { return []fault{refusedLogin, deadServer, greylisted, throttled} }

// servedFaults are those for which the sink has a port, in the order in which it prints
// them; the first is that of accounts that work.
func servedFaults() []fault { return []fault{"", refusedLogin, greylisted, throttled} }

// An account is the n-th. The generation counts how often it was replaced.
type account struct{ n, generation int }

func (a account) fault() fault {
	if a.n%tenth != 0 {
		return ""
	}
	all := faults()
	return all[a.n/tenth%len(all)]
}

func (a account) tenant() string {
	if a.generation == 0 {
		return fmt.Sprintf("t%d", a.n)
	}
	return fmt.Sprintf("t%d-%d", a.n, a.generation)
}

func (a account) place() resolver.Place { return resolver.Place{Tenant: a.tenant()} }

// deadPort is one at which nobody listens, on any machine.
const deadPort = 1

// entry is what a tenant's administrator would enter.
func (s *site) entry(a account) *resolver.Entry {
	host, port := "127.0.0.1", s.ports[a.fault()]
	if a.fault() == deadServer {
		// From 127.1.0.0 on, and 4,000,000 addresses further for each generation.
		at := 1<<16 + a.n + a.generation*4_000_000
		host, port = fmt.Sprintf("127.%d.%d.%d", at>>16&0xff, at>>8&0xff, at&0xff), deadPort
	}
	return &resolver.Entry{Account: &resolver.Settings{
		Address: "info@" + a.tenant() + ".example",
		SMTP: &resolver.SMTPSettings{
			Host: host, Port: port, Encryption: "none", AllowPlaintextLogin: true,
			Username: sinkUser, Password: secret.New(sinkPassword),
		},
	}}
}

func operator() redisstore.Actor { return redisstore.Actor{Name: "soak", Role: redisstore.Operator} }

// store writes all accounts.
func (s *site) store(ctx context.Context) error {
	const writers = 16
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	numbers := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for n := range numbers {
				if err := s.put(ctx, account{n: n}); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for n := 0; n < s.settings.accounts && ctx.Err() == nil; n++ {
		select {
		case numbers <- n:
		case <-ctx.Done():
		}
	}
	close(numbers)
	group.Wait()
	return context.Cause(ctx)
}

func (s *site) put(ctx context.Context, a account) error {
	_, err := s.book.Put(ctx, operator(), a.place(), 0, s.entry(a))
	return err
}

// replace deletes an account, and makes another one in its place.
func (s *site) replace(ctx context.Context, n int) error {
	old := account{n, s.generations[n]}
	record, err := s.book.Get(ctx, old.place())
	if err != nil {
		return err
	}
	if err := s.book.Delete(ctx, operator(), old.place(), record.Version); err != nil {
		return err
	}
	s.generations[n]++
	return s.put(ctx, account{n, s.generations[n]})
}
