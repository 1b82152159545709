package route

import (
	"github.com/rohrpost/rohrpost/internal/transport/graph"
	"github.com/rohrpost/rohrpost/resolver"
)

// Mailbox is what the APIs need to know of an account.
func (r *Route) Mailbox(a *resolver.Account) graph.Mailbox { return r.mailbox(a) }
