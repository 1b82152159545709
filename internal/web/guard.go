package web

import (
	"context"
	"errors"
	"log"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// pagePolicy is the Content-Security-Policy of everything but asynqmon: nothing
// runs, and nothing comes from elsewhere.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// hsts makes browsers keep to TLS where they have come by it: for 30 days, and for
// this host name alone, which may have other services (RFC 6797).
const hsts = "max-age=2592000"

// guard is what every request passes first.
func guard(next http.Handler, logger zerolog.Logger, now func() time.Time) http.Handler {
	crossOrigin := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &visit{ResponseWriter: w}
		begin := now()
		defer func() {
			if cause := recover(); cause != nil {
				seen.broken(cause, logger)
			}
			seen.log(logger, r, now().Sub(begin))
			if seen.aborted {
				panic(http.ErrAbortHandler) // cuts the connection: the client sees that something is missing
			}
		}()
		secure(w.Header())
		if overTLS(r) {
			w.Header().Set("Strict-Transport-Security", hsts)
		}
		crossOrigin.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), visitKey{}, seen)))
	})
}

func secure(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// A visit is one request, for the access log.
type visit struct {
	http.ResponseWriter
	status  int
	bytes   int64
	user    string
	aborted bool
}

type visitKey struct{}

// note tells the access log who sent r.
func note(r *http.Request, user string) {
	if v, ok := r.Context().Value(visitKey{}).(*visit); ok {
		v.user = user
	}
}

// userOf is whom note has told, "" without a name.
func userOf(r *http.Request) string {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	if v == nil {
		return ""
	}
	return v.user
}

func (v *visit) WriteHeader(status int) {
	if v.status == 0 {
		v.status = status
	}
	v.ResponseWriter.WriteHeader(status)
}

func (v *visit) Write(b []byte) (int, error) {
	if v.status == 0 {
		v.status = http.StatusOK
	}
	n, err := v.ResponseWriter.Write(b)
	v.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (v *visit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// broken answers after a panic, without a detail.
func (v *visit) broken(cause any, logger zerolog.Logger) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		v.aborted = true
		return
	}
	logger.Error().Interface("panic", cause).Bytes("stack", debug.Stack()).Msg("web: panic")
	if v.status != 0 {
		v.aborted = true
		return
	}
	http.Error(v, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// log writes a line without the query: it may hold a recipient.
func (v *visit) log(logger zerolog.Logger, r *http.Request, took time.Duration) {
	level := zerolog.InfoLevel
	if isProbe(r.URL.Path) && v.status == http.StatusOK {
		level = zerolog.DebugLevel
	}
	logger.WithLevel(level).Str("method", r.Method).Str("path", r.URL.Path).Int("status", v.status).
		Int64("bytes", v.bytes).Dur("took_ms", took).Str("remote", r.RemoteAddr).Str("user", v.user).Msg("web: request")
}

func isProbe(path string) bool { return path == "/healthz" || path == "/readyz" || path == "/metrics" }

// newErrorLog takes what net/http has to say, one line each.
func newErrorLog(logger zerolog.Logger) *log.Logger { return log.New(lineWriter{logger}, "", 0) }

type lineWriter struct{ logger zerolog.Logger }

func (w lineWriter) Write(b []byte) (int, error) {
	line, _, _ := strings.Cut(string(b), "\n")
	w.logger.Debug().Msg("web: " + line)
	return len(b), nil
}
