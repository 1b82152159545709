package redisconn

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Warnings are the settings of this Redis that would lose mail, each with its
// remedy in one line. A Redis that does not tell (no permission for CONFIG, a
// hosted service) gives none.
func Warnings(ctx context.Context, client redis.UniversalClient) []string {
	var out []string
	if policy, ok := setting(ctx, client, "maxmemory-policy"); ok && policy != "noeviction" {
		out = append(out, fmt.Sprintf(
			"redis deletes queued mail when its memory is full (maxmemory-policy %s): CONFIG SET maxmemory-policy noeviction", policy))
	}
	appendonly, known := setting(ctx, client, "appendonly")
	save, knownSave := setting(ctx, client, "save")
	if known && knownSave && appendonly == "no" && save == "" {
		out = append(out, "redis keeps nothing on disk, a restart loses queued mail (appendonly no, save \"\"): CONFIG SET appendonly yes")
	}
	return out
}

func setting(ctx context.Context, client redis.UniversalClient, name string) (value string, known bool) {
	answer, err := client.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", false
	}
	value, known = answer[name]
	return value, known
}
