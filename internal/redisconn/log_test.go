package redisconn

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestMain(m *testing.M) {
	LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

func TestRedisLogIsLimited(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newRedisLog(zerolog.New(&out))
	for i := range 100 {
		log.Printf(t.Context(), "dial %d failed", i)
	}
	if got := strings.Count(out.String(), "\n"); got != logBurst {
		t.Errorf("%d lines, want %d", got, logBurst)
	}
	if want := `{"level":"warn","component":"redis","message":"dial 0 failed"}`; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%s, want %s", out.String(), want)
	}
}
