package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// pagePolicy is the Content-Security-Policy of everything but asynqmon: nothing
// runs or is framed that is not one of these pages' own files. Who may frame them
// follows.
const pagePolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors "

// hsts makes browsers keep to TLS where they have come by it: for 30 days, and for
// this host name alone, which may have other services (RFC 6797).
const hsts = "max-age=2592000"

// A guard is what every request passes first.
type guard struct {
	next          http.Handler
	logger        zerolog.Logger
	now           func() time.Time
	embedders     []string // sites that may show the pages in a frame
	fromElsewhere string   // the path to which other sites may post; empty: none
}

func (g guard) handler() http.Handler {
	protection := http.NewCrossOriginProtection()
	if g.fromElsewhere != "" {
		protection.AddInsecureBypassPattern("POST " + g.fromElsewhere)
	}
	crossOrigin := protection.Handler(g.next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &visit{ResponseWriter: w}
		begin := g.now()
		defer func() {
			if cause := recover(); cause != nil {
				seen.broken(cause, g.logger)
			}
			seen.log(g.logger, r, g.now().Sub(begin))
			if seen.aborted {
				panic(http.ErrAbortHandler) // cuts the connection: the client sees that something is missing
			}
		}()
		g.secure(w.Header())
		if signin.OverTLS(r) {
			w.Header().Set("Strict-Transport-Security", hsts)
		}
		crossOrigin.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), visitKey{}, seen)))
	})
}

func (g guard) secure(h http.Header) {
	ancestors := "'none'"
	if len(g.embedders) > 0 {
		ancestors = "'self' " + strings.Join(g.embedders, " ")
	} else {
		h.Set("X-Frame-Options", "DENY") // which knows no list of sites
	}
	h.Set("Content-Security-Policy", pagePolicy+ancestors)
	h.Set("X-Content-Type-Options", "nosniff")
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
	logger.Error().Str("panic", fmt.Sprint(cause)).Bytes("stack", debug.Stack()).Msg("web: panic")
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
