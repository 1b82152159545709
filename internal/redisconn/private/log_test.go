package private_test

import (
	"testing"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}
