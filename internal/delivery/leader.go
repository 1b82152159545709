package delivery

import (
	"context"
	"time"
)

// leadEvery is how often a worker looks whether it is its turn to look after all.
const leadEvery = time.Minute

// A duty is done by one process at a time: by whichever gets its key. One that dies over
// it is followed by another when the key ends.
type duty struct {
	key     string
	term    time.Duration // for which the key is held
	do      func(context.Context) error
	warning string // when it fails
}

// lead does a duty whenever it is this worker's turn, until ctx ends.
func (w *Worker) lead(ctx context.Context, d duty) {
	ticker := time.NewTicker(leadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		mine, err := w.opts.Redis.SetNX(ctx, d.key, w.token, d.term).Result()
		if err != nil || !mine {
			continue
		}
		if err := d.do(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn().Err(err).Msg(d.warning)
		}
	}
}
