package main

import (
	"context"
	"fmt"
)

// depth compares the cost of a mail when the queue is short with that when it
// is deep.
func (e *environment) depth(ctx context.Context) error {
	if e.deep == 0 {
		return nil
	}
	short, err := e.drain(ctx)
	if err != nil {
		return err
	}
	if err := e.fill(ctx, e.deep); err != nil {
		return err
	}
	deep, err := e.work(ctx, e.mails)
	if err != nil {
		return err
	}
	fmt.Printf("depth of the queue\n  a queue of %d: %.0f mails/s, the first of a queue of %d: %.0f mails/s\n",
		e.mails, float64(e.mails)/short.Seconds(), e.deep, float64(e.mails)/deep.Seconds())
	return e.rdb.FlushAll(ctx).Err()
}
