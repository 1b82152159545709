package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/private"
)

// privateDir is the directory of the private Redis that redis.url asks for. named
// tells that it does so by its text, and not by being empty; wanted is false where
// it is another Redis.
func (c *cli) privateDir(cfg configs.Config) (dir string, named, wanted bool, err error) {
	dir, named = redisconn.EmbeddedDir(cfg.Redis.URL)
	if !named && (cfg.Redis.URL != "" || !cfg.Redis.Password.IsZero()) {
		return "", false, false, nil
	}
	if dir == "" {
		dir, err = private.DefaultDir(c.environ)
	}
	return dir, named, true, err
}

// startPrivate starts a Redis of this process' own where no other is configured,
// and enters its URL. The answer is nil where one is.
func (c *cli) startPrivate(ctx context.Context, cfg *configs.Config, log zerolog.Logger) (*private.Server, error) {
	dir, _, wanted, err := c.privateDir(*cfg)
	if err != nil || !wanted {
		return nil, err
	}
	server, err := private.Start(ctx, private.Options{Dir: dir, Logger: log})
	if err != nil {
		return nil, err
	}
	cfg.Redis.URL = server.URL()
	log.Info().Str("url", server.URL()).Msg("a private redis-server is running")
	return server, nil
}

// findPrivate enters the URL of the private Redis of a serve that runs on this
// machine, where no other is configured.
func (c *cli) findPrivate(cfg *configs.Config) error {
	dir, named, wanted, err := c.privateDir(*cfg)
	if err != nil && !named {
		return nil // nowhere to look
	}
	if err != nil || !wanted {
		return err
	}
	url, runs := private.Find(dir)
	switch {
	case runs:
		cfg.Redis.URL = url
	case named:
		return fmt.Errorf("redis.url: no rohrpost serve runs its private Redis in %s", dir)
	}
	return nil
}

// openRedis opens the Redis of a command; it does not connect.
func (c *cli) openRedis(cfg configs.Config) (redis.UniversalClient, error) {
	if err := c.findPrivate(&cfg); err != nil {
		return nil, err
	}
	return app.OpenRedis(cfg, "rohrpost-cli", 0)
}
