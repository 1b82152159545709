package problems

import (
	"context"
	"strings"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/resolver"
)

// servers finds the server for which the mails of each account wait, among those that
// are down; nil: it is none of them, and works again. With one alone operators get it
// without a look. Of an account that is missing nothing was learned.
func (v *view) servers(ctx context.Context, s *Service) map[string]*breaker.State {
	found := map[string]*breaker.State{}
	looked := 0
	for _, stat := range v.stats {
		if Kind(stat.Reason) != Down || len(v.down) == 0 || v.blocked[stat.Account] != nil {
			continue
		}
		if len(v.down) == 1 && v.whose.All {
			found[stat.Account] = v.down[0]
			continue
		}
		if looked++; looked > mostLooked || s.options.Account == nil {
			break
		}
		if server, ok := v.serverOf(ctx, s, stat.Account); ok {
			found[stat.Account] = server
		}
	}
	return found
}

// serverOf looks up the account. It is not ok if nobody knows it.
func (v *view) serverOf(ctx context.Context, s *Service, account string) (server *breaker.State, ok bool) {
	place, err := resolver.ParsePlace(account)
	if err != nil {
		return nil, false
	}
	a, err := s.options.Account(ctx, place)
	if err != nil || a == nil {
		return nil, false
	}
	for _, state := range v.down {
		if hostOf(state) == a.Host() {
			return state, true
		}
	}
	return nil, true
}

// hostOf is the host:port of a server's state, which names the encryption, too.
func hostOf(state *breaker.State) string {
	_, server, _ := strings.Cut(state.Subject, "/")
	host, _, _ := strings.Cut(server, " ")
	return host
}
