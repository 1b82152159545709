package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
)

func main() {
	c := Config{Log: zerolog.New(os.Stderr).With().Timestamp().Logger()}
	flag.StringVar(&c.Redis, "redis", "127.0.0.1:6379", "address of Redis")
	flag.StringVar(&c.DB, "db", "accounts.db", "file of the database")
	flag.StringVar(&c.Addr, "addr", "127.0.0.1:8080", "where the pages are")
	flag.Parse()
	if err := run(c); err != nil {
		c.Log.Fatal().Err(err).Send()
	}
}

// run works until it is interrupted.
func run(c Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app, err := Open(ctx, c)
	if err != nil {
		return err
	}
	c.Log.Info().Str("link", app.Link("http://"+c.Addr+"/problems")).Msg("the log of failed mails")
	return errors.Join(app.Run(ctx), app.Close())
}
