package accounts

import (
	"context"
	"iter"
	"time"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/resolver"
)

// An Item is one account of a list.
type Item struct {
	Place     resolver.Place     `json:"place"`
	ID        string             `json:"id"`
	State     string             `json:"state"`
	Address   string             `json:"address"`
	Transport resolver.Transport `json:"transport"`
	Host      string             `json:"host"`
	Version   int64              `json:"version,omitempty"`  // in Redis
	Default   bool               `json:"switched_off"`       // use_platform_default
	Parked    string             `json:"parked,omitempty"`   // category of the refused login
	Block     *Block             `json:"block,omitempty"`    // nil: nothing keeps its mails
	Unusable  string             `json:"unusable,omitempty"` // why it cannot send
	Warnings  []string           `json:"warnings,omitempty"`
}

// A Block is what keeps an account's mails from going.
type Block struct {
	Kind  breaker.Kind `json:"kind"`
	Since time.Time    `json:"since"`
	Until time.Time    `json:"until,omitzero"` // then one mail tries; zero: until somebody acts
	Rule  int          `json:"rule,omitempty"` // of failure.Hint; 0: what a server says is not for whoever sees this
	// Category is that of the failure; empty as Rule.
	Category string `json:"category,omitempty"`
}

// List goes through all accounts, or those of one tenant.
func (s *Service) List(ctx context.Context, tenant string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if s.file != nil {
			for _, a := range s.file.All() {
				if (tenant == "" || a.Tenant == tenant) && !yield(s.item(a, 0), nil) {
					return
				}
			}
			return
		}
		records := s.store.All(ctx)
		if tenant != "" {
			records = s.store.Of(ctx, tenant)
		}
		for r, err := range records {
			if err != nil {
				yield(Item{}, err)
				return
			}
			if r.Account == nil {
				continue
			}
			item := s.item(r.Account, r.Version)
			item.Warnings = append(item.Warnings, RecordWarnings(r)...)
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (s *Service) item(a *resolver.Account, version int64) Item {
	i := Item{
		Place: resolver.Place{Tenant: a.Tenant, User: a.User}, ID: a.ID(), State: a.State.String(), Address: a.Address,
		Transport: a.Transport(), Host: a.Host(), Version: version, Default: a.UsePlatformDefault, Unusable: a.Unusable, Warnings: a.Warnings(),
	}
	if n := s.parked(a); n != nil && a.State == resolver.Active {
		i.State, i.Parked = string(resolver.Parked), n.Category
	}
	i.Block = s.block(a)
	return i
}

// block is what keeps the account's mails from going.
func (s *Service) block(a *resolver.Account) *Block {
	state := s.parked(a)
	if state == nil {
		state = s.breaker.Standing(a.ID(), breaker.ServerOf(a))
	}
	if state == nil || a.State != resolver.Active || a.UsePlatformDefault {
		return nil
	}
	b := &Block{Kind: state.Kind, Since: state.Since, Until: state.Until, Rule: state.Rule, Category: state.Category}
	if state.Kind == breaker.Down && !a.Trusted {
		b.Rule, b.Category = 0, "" // which names exist in the operator's network is not for tenants
	}
	return b
}

// Item is the account at a place as in List, without its version. The error is
// redisstore.ErrUnknown if there is none.
func (s *Service) Item(ctx context.Context, p resolver.Place) (Item, error) {
	a, _, err := s.Find(ctx, p)
	if err != nil {
		return Item{}, err
	}
	return s.item(a, 0), nil
}
