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
)

// readyTimeout is how soon Redis must answer.
const readyTimeout = time.Second

// Probes serves /healthz, /readyz and, without a login, /metrics: what a worker
// process offers to the machine that watches it.
func Probes(client redis.UniversalClient, metrics http.Handler, logger zerolog.Logger) http.Handler {
	mux := http.NewServeMux()
	addProbes(mux, client, logger)
	mux.Handle("GET /metrics", metrics)
	return guard(mux, logger, time.Now)
}

// addProbes adds what needs no login, and so tells little.
func addProbes(mux *http.ServeMux, client redis.UniversalClient, logger zerolog.Logger) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := redisconn.Ping(ctx, client); err != nil {
			logger.Warn().Err(err).Msg("web: not ready")
			plain(w, http.StatusServiceUnavailable, errors.Unwrap(err).Error()) // what, and not where
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
