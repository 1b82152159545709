package web

import (
	"context"
	"net/http"
	"time"

	"github.com/rohrpost/rohrpost/internal/queue"
)

// startTimeout bounds what the start page waits for Redis.
const startTimeout = 2 * time.Second

// A hold is a queue of which nothing leaves.
type hold struct {
	queue.Pause
	By string // empty: not known, or not told
}

// holds is what the start page says of paused queues.
type holds struct {
	List    []hold
	Unknown bool // Redis does not answer
}

// holds asks which queues are paused. Who has paused them is told to operators.
func (s *Server) holds(r *http.Request, p person) holds {
	ctx, cancel := context.WithTimeout(r.Context(), startTimeout)
	defer cancel()
	pauses, err := queue.Paused(ctx, s.options.Redis)
	if err != nil {
		s.options.Logger.Warn().Err(err).Msg("web: whether queues are paused cannot be read")
		return holds{Unknown: true}
	}
	var out holds
	for _, pause := range pauses {
		h := hold{Pause: pause}
		if p.operator() {
			h.By, _ = s.queues.acts.audit.PausedBy(ctx, pause.Queue, pause.Since) // without it the pause still stands
		}
		out.List = append(out.List, h)
	}
	return out
}
