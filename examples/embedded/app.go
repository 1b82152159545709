package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/server"
	"github.com/rohrpost/rohrpost/worker"
)

// An App is what the rest of an application sees of its mail.
type App struct {
	Store *Store           // who may send
	Mail  *producer.Client // sends
	*server.Server

	rdb *redis.Client
}

// Config is where things are.
type Config struct {
	Redis string // network address
	DB    string // file
	Addr  string // of the pages
	Log   zerolog.Logger
}

// Open puts the parts together. Run works until its context ends.
func Open(ctx context.Context, c Config) (*App, error) {
	store, err := OpenStore(ctx, c.DB)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.DB, err)
	}
	const mailsAtATime = 20
	rdb := redis.NewClient(&redis.Options{Addr: c.Redis, PoolSize: mailsAtATime + 10, ContextTimeoutEnabled: true})
	a := &App{Store: store, rdb: rdb}
	if a.Mail, err = producer.New(rdb, producer.Options{}); err == nil {
		a.Server, err = server.New(server.Options{
			Worker: worker.Options{Redis: rdb, Store: store, Logger: c.Log, Concurrency: mailsAtATime},
			Mails:  a.Mail,
			Addr:   c.Addr,
		})
	}
	if err != nil {
		return nil, errors.Join(err, rdb.Close(), store.Close())
	}
	return a, nil
}

// Close ends Run, waits for the mails under way, and closes what Open has opened.
func (a *App) Close() error {
	return errors.Join(a.Server.Close(), a.rdb.Close(), a.Store.Close())
}
