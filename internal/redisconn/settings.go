package redisconn

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// settings are those of a server that decide about mail, as far as it tells. CONFIG
// knows them all; a user that may not call it reads most of them in INFO.
type settings struct {
	version     string   // of Redis; Valkey says which version of Redis it is like; empty: not told
	policy      string   // maxmemory-policy; empty: not told
	appendonly  string   // yes, no; empty: not told
	save        *string  // nil: not told
	minReplicas string   // min-replicas-to-write; by INFO "some" if it is not 0; empty: not told
	replicas    bool     // it has some
	untold      []string // names of what neither has told
}

func askSettings(ctx context.Context, client redis.Cmdable) settings {
	text, infoErr := client.Info(ctx).Result()
	info := infoFields(text)
	var s settings
	config := func(name, byInfo string) string {
		if value, ok := configured(ctx, client, name); ok {
			return value
		}
		// The server in memory, of demo and dev, has no version, and nothing to tell.
		if _, known := info["redis_version"]; byInfo == "" && (known || infoErr != nil) {
			s.untold = append(s.untold, name)
		}
		return byInfo
	}
	s.version = info["redis_version"]
	s.policy = config("maxmemory-policy", info["maxmemory_policy"])
	s.appendonly = config("appendonly", map[string]string{"0": "no", "1": "yes"}[info["aof_enabled"]])
	if value, ok := configured(ctx, client, "save"); ok {
		s.save = &value
	}
	s.replicas = info["connected_slaves"] != "" && info["connected_slaves"] != "0"
	if s.replicas {
		byInfo := "0" // INFO counts good replicas where there must be some
		if _, ok := info["min_slaves_good_slaves"]; ok {
			byInfo = "some"
		}
		s.minReplicas = config("min-replicas-to-write", byInfo)
	}
	return s
}

func configured(ctx context.Context, client redis.Cmdable, name string) (value string, ok bool) {
	answer, err := client.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", false
	}
	value, ok = answer[name]
	return value, ok
}

// infoFields are the lines of an answer to INFO.
func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[key] = value
		}
	}
	return fields
}
