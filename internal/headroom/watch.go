package headroom

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// watchEvery is how often a watch looks.
const watchEvery = 5 * time.Second

// Watch warns in the log, until ctx ends, whenever Redis has passed one of the limits.
func (g *Gauge) Watch(ctx context.Context, log zerolog.Logger) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	w := watch{log: log}
	for {
		r, err := g.Read(ctx)
		if ctx.Err() == nil {
			w.see(r, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// A watch says once what lasts.
type watch struct {
	log    zerolog.Logger
	passed float64 // the limit that was passed; 0: none
	untold bool
}

// calm is how far below a limit it must have fallen before passing it is news again.
const calm = 0.05

func (w *watch) see(r Reading, err error) {
	if errors.Is(err, ErrUntold) && !w.untold {
		w.untold = true
		w.log.Warn().Err(err).Msg("nobody looks after the memory of redis")
	}
	if err != nil {
		return
	}
	ratio := r.Ratio()
	switch {
	case ratio >= RefuseAt && w.passed < RefuseAt:
		w.passed = RefuseAt
		w.warn(r, "producers are refused: raise maxmemory, or lower limits.waiting_bytes_per_tenant")
	case ratio >= WarnAt && w.passed < WarnAt:
		w.passed = WarnAt
		w.warn(r, "above 90 % producers are refused: raise maxmemory, or lower limits.waiting_bytes_per_tenant")
	case w.passed == RefuseAt && ratio < RefuseAt-calm:
		w.passed = WarnAt
		w.log.Info().Msg("redis takes mails again")
	}
	if w.passed > 0 && ratio < WarnAt-calm {
		w.passed = 0
	}
}

func (w *watch) warn(r Reading, remedy string) {
	w.log.Warn().Int64("used_memory", r.Used).Int64("maxmemory", r.Max).
		Msg(fmt.Sprintf("the memory of redis is full to %.0f %%; %s", 100*r.Ratio(), remedy))
}
