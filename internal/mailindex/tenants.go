package mailindex

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Tenants are the ids of tenants that have sent, in the order of their bytes: at most n
// that begin with prefix and come after the id after, which is empty for the first ones.
func (x *Index) Tenants(ctx context.Context, prefix, after string, n int) ([]string, error) {
	by := redis.ZRangeBy{Min: "[" + prefix, Max: "(" + prefix + "\xff", Count: int64(n)} // no UTF-8 has this byte
	if after >= prefix && after != "" {
		by.Min = "(" + after
	}
	names, err := x.rdb.ZRangeByLex(ctx, tenantsKey, &by).Result()
	if err != nil {
		return nil, fmt.Errorf("tenants that have sent: %w", err)
	}
	return names, nil
}
