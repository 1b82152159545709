package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// readyTimeout is how soon Redis must answer.
const readyTimeout = time.Second

// Probes serves /healthz, /readyz and /metrics: what a worker process offers to the
// machine that watches it. The token opens /metrics; without one everybody reads it.
func Probes(client redis.UniversalClient, metrics http.Handler, token secret.String, logger zerolog.Logger) (http.Handler, error) {
	login, err := signin.New(signin.Options{MetricsToken: token, Now: time.Now, Logger: logger})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	addProbes(mux, client, logger)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if token.IsZero() || login.Scraper(r) {
			metrics.ServeHTTP(w, r)
			return
		}
		given, _ := signin.Bearer(r)
		if tooSoon, ok := errors.AsType[*signin.Paused](login.WrongToken(r, given, signin.ErrNoLogin)); ok {
			w.Header().Set("Retry-After", tooSoon.RetryAfter())
			plain(w, http.StatusTooManyRequests, "too many wrong tokens")
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="rohrpost"`)
		plain(w, http.StatusUnauthorized, "web.metrics_token opens this, as a Bearer token")
	})
	return guard{next: mux, logger: logger, now: time.Now}.handler(), nil
}

// addProbes adds what needs no login, and so tells little.
func addProbes(mux *http.ServeMux, client redis.UniversalClient, logger zerolog.Logger) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := redisconn.Ping(ctx, client); err != nil {
			logger.Warn().Err(err).Msg("web: not ready")
			plain(w, http.StatusServiceUnavailable, "not ready") // why is the operator's business
			return
		}
		plain(w, http.StatusOK, "ready")
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
