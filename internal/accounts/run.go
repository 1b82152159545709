package accounts

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/resolver"
)

const (
	// keepEvery is how often idle refresh tokens are looked for.
	keepEvery = 6 * time.Hour
	// recheckEvery is how often the settings of parked accounts are compared with
	// those that were refused.
	recheckEvery = 250 * time.Millisecond
)

// Run keeps the accounts up to date until ctx ends: it notices changes of the file or
// in Redis. Unless other processes hold what opens the secrets, it also uses idle
// refresh tokens, and releases parked accounts that have new settings.
func (s *Service) Run(ctx context.Context) {
	var loops sync.WaitGroup
	defer loops.Wait()
	switch {
	case s.file != nil:
		loops.Go(func() { s.file.Watch(ctx, s.reloaded) })
	case s.store != nil:
		loops.Go(func() { s.store.Run(ctx) })
		loops.Go(func() { s.survey(ctx) })
	}
	if !s.elsewhere {
		loops.Go(func() { s.keepTokens(ctx) })
		loops.Go(func() { s.recheck(ctx) })
	}
}

// Warnings are what the accounts in a file advise against.
func (s *Service) Warnings() []string {
	if s.file == nil {
		return nil
	}
	return s.file.Warnings()
}

// Sealed reports whether a key is needed to use the accounts: those in Redis are
// sealed, and so are the tokens of those in a file. Of an application's accounts it is
// not known.
func (s *Service) Sealed() bool {
	return s.store != nil || s.file != nil && slices.ContainsFunc(s.file.All(), func(a *resolver.Account) bool { return a.OAuth2.InUse() })
}

// Reload reads the accounts file again, which Run does by itself within a second of a
// change, too. Accounts in Redis are up to date without.
func (s *Service) Reload() {
	if s.file == nil {
		s.log.Info().Msg("there is no accounts file to be reloaded")
		return
	}
	s.reloaded(s.file.Reload())
}

// reloaded logs how reading the accounts file again went.
func (s *Service) reloaded(err error) {
	if err != nil {
		s.log.Error().Err(err).Msg("the accounts file was changed and cannot be used: the last good one stays in force")
		return
	}
	s.log.Info().Msg("accounts reloaded")
}

// survey puts the accounts on their lists, which an older version did not, and logs
// which of them have secrets that it has sealed.
func (s *Service) survey(ctx context.Context) {
	unbound, err := s.store.Reindex(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Warn().Err(err).Msg("the pages may not list all accounts until the next start of a process")
	}
	if warning := unboundWarning(unbound); warning != "" {
		s.log.Warn().Msg(warning)
	}
}

// recheck calls Recheck until ctx ends.
func (s *Service) recheck(ctx context.Context) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.Recheck(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug().Err(err).Msg("a parked account could not be looked up; soon again")
		}
	}
}

// keepTokens calls KeepTokens until ctx ends.
func (s *Service) keepTokens(ctx context.Context) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		n, err := s.KeepTokens(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("idle accounts were not all looked after; it is tried again later")
		}
		if n > 0 {
			s.log.Info().Int("accounts", n).Msg("refresh tokens of idle accounts were used")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
