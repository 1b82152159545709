package accounts

import (
	"context"
	"errors"
	"slices"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// An ErrorLog takes what administrators must know.
type ErrorLog interface {
	Append(context.Context, ...errorlog.Entry) error
}

// KeepTokens uses refresh tokens that were not used for a week, once. An account whose
// token is refused is parked, and passed over from then on; its error log says so,
// since no mail need have tried it.
func (s *Service) KeepTokens(ctx context.Context) (int, error) {
	n, _, err := s.use(ctx, s.route.Touch)
	return n, err
}

type tokenUse = func(context.Context, []*resolver.Account, func(*resolver.Account, *failure.Failure)) (int, error)

// use answers also how many tokens were not to be had.
func (s *Service) use(ctx context.Context, touch tokenUse) (n, missed int, err error) {
	list, err := s.connected(ctx)
	if err != nil {
		return 0, 0, err
	}
	list = slices.DeleteFunc(list, func(a *resolver.Account) bool {
		n := s.parked(a)
		return n != nil && n.Stage == failure.StageToken
	})
	var failed []error
	n, err = touch(ctx, list, func(a *resolver.Account, f *failure.Failure) {
		missed++
		if f.NeedsPerson() {
			failed = append(failed, s.park(ctx, a, f))
		}
	})
	return n, missed, errors.Join(append(failed, err)...)
}

// connected are the accounts that may have a refresh token.
func (s *Service) connected(ctx context.Context) ([]*resolver.Account, error) {
	if s.file != nil {
		return s.file.All(), nil
	}
	if s.own != nil {
		return s.owned(ctx)
	}
	var list []*resolver.Account
	for r, err := range s.store.All(ctx) {
		if err != nil {
			return nil, err
		}
		if r.Account != nil && r.Account.OAuth2.InUse() {
			list = append(list, r.Account)
		}
	}
	return list, nil
}

// owned are the accounts of an application, as far as it lists them.
func (s *Service) owned(ctx context.Context) ([]*resolver.Account, error) {
	if s.all == nil {
		return nil, nil
	}
	var list []*resolver.Account
	for a, err := range s.all(ctx) {
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// park tells the administrator of an account that its token is refused, and lets its
// mails wait. Without the one there is not the other: a mail that tries it tells, too.
func (s *Service) park(ctx context.Context, a *resolver.Account, f *failure.Failure) error {
	entry := errorlog.Entry{
		Time: s.now(), Tenant: a.Tenant, User: a.User, Account: a.ID(), Level: string(a.Level), Host: a.Host(),
	}
	if err := s.errors.Append(ctx, entry.Because(f)); err != nil {
		return err
	}
	return s.breaker.Park(ctx, a.ID(), a.Fingerprint(), f)
}
