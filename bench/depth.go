package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// rewriteLimit is how long Redis may take to write its AOF anew.
const rewriteLimit = 5 * time.Minute

// depth compares the cost of a mail when the queue is short with that when it
// is deep. What Redis does because its AOF has doubled is waited for.
func (e *environment) depth(ctx context.Context) error {
	if e.deep == 0 {
		return nil
	}
	c := course{mails: e.mails, connections: e.connections, server: e.sink}
	short, err := e.drain(ctx, c)
	if err != nil {
		return err
	}
	if err := e.fill(ctx, course{mails: e.deep}); err != nil {
		return err
	}
	if err := poll(ctx, rewriteLimit, 100*time.Millisecond, "the AOF", func() bool {
		info, err := e.rdb.Info(ctx, "persistence").Result()
		return err == nil && strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
	}); err != nil {
		return err
	}
	deep, err := e.work(ctx, c)
	if err != nil {
		return err
	}
	e.figures.rate(fmt.Sprintf("a queue of %d", e.mails), float64(e.mails)/short.Seconds())
	e.figures.rate(fmt.Sprintf("the first of a queue of %d", e.deep), float64(e.mails)/deep.Seconds())
	fmt.Printf("depth of the queue\n  a queue of %d: %.0f mails/s, the first of a queue of %d: %.0f mails/s\n",
		e.mails, float64(e.mails)/short.Seconds(), e.deep, float64(e.mails)/deep.Seconds())
	return e.rdb.FlushAll(ctx).Err()
}
