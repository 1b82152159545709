package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/encoding/protowire"
)

// serversKey is a sorted set of asynq: the keys of running servers, by when each is taken
// to be dead (Unix seconds).
const serversKey = "asynq:servers"

// Workers are those that run now, in all processes.
type Workers struct {
	Processes int
	Slots     int // mails that they send at a time
	Busy      int // slots with a mail, as told within five seconds
}

// Running counts the workers that run, in two round trips. A process that was killed
// counts for half a minute more.
func Running(ctx context.Context, rdb redis.UniversalClient) (Workers, error) {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	keys, err := rdb.ZRangeByScore(ctx, serversKey, &redis.ZRangeBy{Min: now, Max: "+inf"}).Result()
	if err != nil {
		return Workers{}, fmt.Errorf("running workers: %w", err)
	}
	pipe := rdb.Pipeline()
	infos := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		infos[i] = pipe.Get(ctx, key)
	}
	if len(keys) > 0 {
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return Workers{}, fmt.Errorf("running workers: %w", err)
		}
	}
	var w Workers
	processes := map[string]bool{}
	for _, info := range infos {
		s, ok := parseServer([]byte(info.Val()))
		if !ok {
			continue // it has just ended
		}
		processes[s.process] = true
		w.Slots += s.slots
		w.Busy += s.busy
	}
	w.Processes = len(processes)
	return w, nil
}

// A server is one of asynq's; a process has several.
type server struct {
	process     string // host and pid
	slots, busy int
}

// parseServer reads asynq's ServerInfo: fields 1 host, 2 pid, 4 concurrency and 9 active
// workers.
func parseServer(b []byte) (s server, ok bool) {
	var host string
	numbers := map[protowire.Number]uint64{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return server{}, false
		}
		b = b[n:]
		switch {
		case kind == protowire.VarintType:
			numbers[field], n = protowire.ConsumeVarint(b)
		case field == 1 && kind == protowire.BytesType:
			var text []byte
			text, n = protowire.ConsumeBytes(b)
			host = string(text)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return server{}, false
		}
		b = b[n:]
	}
	pid := strconv.FormatUint(numbers[2], 10)
	return server{process: host + ":" + pid, slots: int(numbers[4]), busy: int(numbers[9])}, host != ""
}
