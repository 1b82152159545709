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

// Keep uses refresh tokens that were not used for a week, once. An account whose
// token is refused is parked, and passed over from then on; its error log says so,
// since no mail need have tried it.
func (d *Desk) Keep(ctx context.Context) (int, error) {
	n, _, err := d.use(ctx, d.Route.Touch)
	return n, err
}

type tokenUse = func(context.Context, []*resolver.Account, func(*resolver.Account, *failure.Failure)) (int, error)

// use answers also how many tokens were not to be had.
func (d *Desk) use(ctx context.Context, touch tokenUse) (n, missed int, err error) {
	list, err := d.connected(ctx)
	if err != nil {
		return 0, 0, err
	}
	list = slices.DeleteFunc(list, func(a *resolver.Account) bool {
		n := d.parked(a)
		return n != nil && n.Stage == failure.StageToken
	})
	var failed []error
	n, err = touch(ctx, list, func(a *resolver.Account, f *failure.Failure) {
		missed++
		if f.NeedsPerson() {
			failed = append(failed, d.park(ctx, a, f))
		}
	})
	return n, missed, errors.Join(append(failed, err)...)
}

// connected are the accounts that may have a refresh token.
func (d *Desk) connected(ctx context.Context) ([]*resolver.Account, error) {
	if d.File != nil {
		return d.File.All(), nil
	}
	var list []*resolver.Account
	for r, err := range d.Book.All(ctx) {
		if err != nil {
			return nil, err
		}
		if r.Account != nil && r.Account.OAuth2.InUse() {
			list = append(list, r.Account)
		}
	}
	return list, nil
}

// park tells the administrator of an account that its token is refused, and lets its
// mails wait. Without the one there is not the other: a mail that tries it tells, too.
func (d *Desk) park(ctx context.Context, a *resolver.Account, f *failure.Failure) error {
	entry := errorlog.Entry{
		Time: d.Now(), Tenant: a.Tenant, User: a.User, Account: a.ID(), Level: string(a.Level), Host: a.Host(),
		Stage: f.Stage, Code: f.Code, Enhanced: f.Enhanced, Diagnostic: f.Diagnostic,
		Category: f.Category, Class: f.Class, Rule: f.Rule,
	}
	if err := d.Errors.Append(ctx, entry); err != nil {
		return err
	}
	return d.Gate.Park(ctx, a.ID(), a.Fingerprint(), f)
}
