package chaos

import (
	"context"
	"os"
	"sync"
	"time"
)

// weather carries the plan out, and undoes all of it before it returns. Links are
// poisoned from goroutines of their own, one event of a link after the other;
// everything else waits its turn here.
func (s *site) weather(ctx context.Context) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.plan.length)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	var ends []ending
	busy := make([]sync.Mutex, links)
	for i := 0; ; {
		s.revive()
		next := begin.Add(s.plan.length)
		if i < len(s.plan.events) {
			next = begin.Add(s.plan.events[i].at)
		}
		at := -1
		for k, e := range ends {
			if e.at.Before(next) {
				at, next = k, e.at
			}
		}
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
			for _, e := range ends {
				e.undo()
			}
			return
		}
		switch {
		case at >= 0:
			ends[at].undo()
			ends = append(ends[:at], ends[at+1:]...)
		case i < len(s.plan.events):
			e := s.plan.events[i]
			i++
			if e.deed == cutLink || e.deed == poisonLink {
				wg.Go(func() { s.trouble(ctx, &busy[e.target], i, e) })
			} else if undo := s.do(e); undo != nil {
				s.t.Logf("%6.1fs %v", time.Since(begin).Seconds(), e)
				ends = append(ends, ending{time.Now().Add(e.lasts), undo})
			}
		}
	}
}

// An ending is when an event ends, and how.
type ending struct {
	at   time.Time
	undo func()
}

// trouble cuts or poisons a link for as long as the event lasts.
func (s *site) trouble(ctx context.Context, busy *sync.Mutex, number int, e event) {
	busy.Lock()
	defer busy.Unlock()
	ctx, cancel := context.WithTimeout(ctx, e.lasts)
	defer cancel()
	s.count(e.deed)
	act := s.links[e.target].cut
	if e.deed == poisonLink {
		act = func(ctx context.Context) error { return s.links[e.target].poison(ctx, e.toxic, number) }
	}
	if err := act(ctx); err != nil {
		s.t.Errorf("%v: %v", e, err)
	}
}

// do begins an event; nil: its target is in trouble already.
func (s *site) do(e event) (undo func()) {
	switch e.deed {
	case killWorker:
		w := s.workers[e.target]
		if w.cmd == nil || w.frozen {
			return nil
		}
		w.end(os.Kill)
		undo = w.start
	case freezeWorker:
		w := s.workers[e.target]
		if w.cmd == nil || w.frozen {
			return nil
		}
		w.signal(freeze)
		w.frozen = true
		undo = func() { w.signal(thaw); w.frozen = false }
	case setClock:
		s.workers[jumpy].setClock(e.shift)
		undo = func() { s.workers[jumpy].setClock(0) }
	case killRedis, freezeRedis:
		if s.redisDown {
			return nil
		}
		s.redisDown = true
		begin, end := s.redis.Kill, s.redis.Start
		if e.deed == freezeRedis {
			begin, end = s.redis.Pause, s.redis.Resume
		}
		begin()
		undo = func() { end(); s.redisDown = false }
	}
	s.count(e.deed)
	return undo
}
