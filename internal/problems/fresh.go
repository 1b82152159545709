package problems

import (
	"context"
	"errors"
	"time"
)

// ErrBusy says that as many reports as may be are made at this moment.
var ErrBusy = errors.New("problems: others read the log at this moment")

const (
	// mostReading reports are made at a time: each reads a whole log.
	mostReading = 4
	// mostKept reports are kept to be shown again.
	mostKept = 200
)

// A kept report is shown again while it is fresh, and to everybody who asks meanwhile.
type kept struct {
	done   chan struct{} // closed: report and err are there
	at     time.Time     // of its beginning
	report *Report
	err    error
}

// Report groups the error log, and adds what waits. It takes some 2.5 seconds at most:
// what it does not come to in that time the answer says. The error is one of the log, or
// ErrBusy. What is answered is shared, and must not be changed.
func (s *Service) Report(ctx context.Context, whose Whose) (*Report, error) {
	k, mine := s.keep(whose)
	if mine {
		k.report, k.err = s.inTurn(context.WithoutCancel(ctx), whose) // others wait for it, too
		if k.err != nil || s.options.Fresh == 0 {
			s.forget(whose, k)
		}
		close(k.done)
	}
	select {
	case <-k.done:
		return k.report, k.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// keep is the report that is fresh or under way; mine: the caller makes it.
func (s *Service) keep(whose Whose) (k *kept, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if k := s.kept[whose]; k != nil && (s.options.Fresh == 0 || now.Sub(k.at) < s.options.Fresh) {
		return k, false
	}
	if len(s.kept) >= mostKept {
		clear(s.kept)
	}
	k = &kept{done: make(chan struct{}), at: now}
	s.kept[whose] = k
	return k, true
}

func (s *Service) forget(whose Whose, k *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept[whose] == k {
		delete(s.kept, whose)
	}
}

// inTurn makes a report when not too many others are made.
func (s *Service) inTurn(ctx context.Context, whose Whose) (*Report, error) {
	wait := time.NewTimer(askTime)
	defer wait.Stop()
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
		return s.read(ctx, whose)
	case <-wait.C:
		return nil, ErrBusy
	}
}
