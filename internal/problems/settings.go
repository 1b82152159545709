package problems

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

const (
	// mostForSettings bounds the accounts whose mails that wait for settings are counted,
	// and newestForSettings those of each that are asked whether they still wait.
	mostForSettings, newestForSettings = 100, 100
)

// forSettings is how many mails wait for new settings of each account. The backlog
// remembers mails that have ended since, too: of the newest ones the ledger tells.
// Accounts beyond the first hundred are left out.
func (s *Service) forSettings(ctx context.Context, accounts []string) (map[string]int64, error) {
	accounts = accounts[:min(len(accounts), mostForSettings)]
	remembered, err := s.options.Backlogs.ForSettings(ctx, accounts, newestForSettings)
	if err != nil {
		return nil, err
	}
	var names []ledger.Name
	var owners []string
	for _, account := range accounts {
		for _, ref := range remembered[account].Newest {
			id, tenant := payload.Key(ref.ID).Split()
			if payload.Key(ref.ID).Bare() {
				tenant = tenantOf(account)
			}
			names, owners = append(names, ledger.Name{Tenant: tenant, ID: id}), append(owners, account)
		}
	}
	briefs, err := s.options.Ledger.Briefs(ctx, names)
	if err != nil {
		return nil, err
	}
	mails := make(map[string]int64, len(accounts))
	for _, account := range accounts {
		mails[account] = remembered[account].Mails
	}
	for i, b := range briefs {
		if b == nil || b.State.Final() {
			mails[owners[i]]--
		}
	}
	return mails, nil
}
