package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Resealed counts what was sealed anew.
type Resealed struct {
	redisstore.Resealed
	Tokens int `json:"tokens"`           // refresh tokens that were renewed
	Missed int `json:"missed,omitempty"` // refresh tokens that the provider did not renew
}

// Reseal seals secrets and refresh tokens anew that are sealed for other keys than
// today's, or for no server in particular. Of accounts in a file it is the tokens
// alone. What was done counts beside an error too. seen is told meanwhile how many
// secrets were looked at.
func (s *Service) Reseal(ctx context.Context, who redisstore.Actor, seen func(secrets int)) (n Resealed, err error) {
	var stored error
	if s.store != nil {
		n.Resealed, stored = s.store.Reseal(ctx, who, seen)
	}
	n.Tokens, n.Missed, err = s.use(ctx, s.route.Reseal)
	return n, errors.Join(stored, err)
}

// RecordWarnings are what a record is warned of beside the warnings of its account.
func RecordWarnings(r *redisstore.Record) []string {
	if !r.Unbound {
		return nil
	}
	return []string{"its secrets were sealed by an older version, for no server in particular: " + unboundRisk}
}

const unboundRisk = "whoever can write to Redis could use them for another server. Run rohrpost account reseal when all workers are of this version, then set secrets.require_bound: true"

// UnboundWarning names the accounts whose secrets are sealed for no server in
// particular; empty: there is none.
func (s *Service) UnboundWarning(ctx context.Context) (string, error) {
	if s.store == nil {
		return "", nil
	}
	places, err := s.store.Unbound(ctx)
	return unboundWarning(places), err
}

func unboundWarning(places []resolver.Place) string {
	if len(places) == 0 {
		return ""
	}
	const named = 10
	var ids []string
	for _, p := range places[:min(named, len(places))] {
		ids = append(ids, p.String())
	}
	if more := len(places) - len(ids); more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	return "the secrets of " + strings.Join(ids, ", ") + " were sealed by an older version, for no server in particular: " + unboundRisk
}
