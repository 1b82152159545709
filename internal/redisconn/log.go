package redisconn

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// While Redis is away every command of every worker would write a line.
const (
	logBurst  = 3
	logPeriod = 10 * time.Second
)

// LogTo sends what go-redis has to say to logger, as warnings, at most three
// lines in ten seconds. go-redis knows one logger for the whole process: a
// program calls this once at its start, a library never.
func LogTo(logger zerolog.Logger) { redis.SetLogger(newRedisLog(logger)) }

type redisLog struct{ logger zerolog.Logger }

func newRedisLog(logger zerolog.Logger) redisLog {
	return redisLog{logger: logger.Sample(&zerolog.BurstSampler{Burst: logBurst, Period: logPeriod})}
}

// Printf is the interface of go-redis.
func (l redisLog) Printf(_ context.Context, format string, v ...any) {
	l.logger.Warn().Str("component", "redis").Msg(fmt.Sprintf(format, v...))
}
