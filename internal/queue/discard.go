package queue

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"
)

//go:embed discard.lua
var discardSource string

var discardScript = redis.NewScript(discardSource)

// Discard deletes a task that is archived. Any other stays, and one that is gone is no
// error.
func Discard(ctx context.Context, rdb redis.UniversalClient, ref Ref) error {
	prefix := prefix(ref.Queue)
	if err := discardScript.Run(ctx, rdb, []string{prefix + "t:" + ref.ID, prefix + "archived"}, ref.ID).Err(); err != nil {
		return fmt.Errorf("discard task: %w", err)
	}
	return nil
}
