package problems

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Kind says what mails wait for.
type Kind string

// The kinds, in the order of their weight.
const (
	Parked   Kind = Kind(breaker.Parked)   // a person: the login was refused
	Settings Kind = Kind(breaker.Settings) // new settings; other mails of the account go
	Down     Kind = Kind(breaker.Down)     // a server that cannot be reached
	Slow     Kind = Kind(breaker.Slow)     // a pause that the account's server asked for
	Rate     Kind = Kind(dispatch.Rate)    // the account's own limit
	Busy     Kind = Kind(dispatch.Busy)    // a connection: more comes than goes
)

func (k Kind) weight() int { return slices.Index([]Kind{Parked, Settings, Down, Slow, Rate, Busy}, k) }

const (
	// mostListed bounds the accounts with backlogs that are looked through, mostBacklogs
	// those whose backlogs are read, and mostLooked those that are asked for their server.
	mostListed, mostBacklogs, mostLooked = 20_000, 1000, 100
	// mostWaiting are handed out.
	mostWaiting = 200
	// An account with a mail that has waited so long for a connection is not merely busy.
	busyFor = 5 * time.Minute
	// A limit that is used up for less than this is not worth a line.
	rateFor = time.Minute
)

// A Waiting is an account whose mails wait, or a server for which they do.
type Waiting struct {
	Kind     Kind
	Account  string // id; empty: it is Server, over all accounts
	Server   string // host:port that cannot be reached; empty: another kind, or not known which
	Tenant   string // of the account
	Accounts int    // whose mails wait for Server
	Since    time.Time
	Until    time.Time // zero: until somebody acts, or not known
	Mails    int64     // 0: none, or not told (Hidden)
	Oldest   time.Time // since when the oldest waits; zero: none, or not known
	// Hidden says that others send through the account, too, and that their numbers and
	// replies are left out.
	Hidden bool
	// Detail is why; zero for Rate and Busy.
	failure.Detail
}

// Backlogs tells of the mails that wait for accounts; *backlog.Store does.
type Backlogs interface {
	Latest(ctx context.Context, n int64) (list []backlog.Listed, all int64, err error)
	StatsOf(ctx context.Context, accounts []string, each func(backlog.Stat)) error
	ForSettings(ctx context.Context, accounts []string, n int64) (map[string]backlog.Remembered, error)
}

// Waiting lists the accounts and servers that mails wait for now, what needs a person
// first, and how many there are beyond those. It asks only of accounts that are blocked
// or have a backlog. What the circuit breaker knows is listed without Redis, too: then
// the list comes with the error, and has no numbers of mails.
//
// A tenant is told of its own accounts. The platform's account is listed for operators
// and for the platform itself.
func (s *Service) Waiting(ctx context.Context, whose Whose) (list []Waiting, more int, err error) {
	v, err := s.view(ctx, whose)
	if err != nil {
		return nil, 0, err
	}
	err = v.read(ctx, s)
	list = v.list(ctx, s)
	slices.SortStableFunc(list, func(a, b Waiting) int {
		return cmp.Or(cmp.Compare(a.Kind.weight(), b.Kind.weight()), cmp.Compare(b.Mails, a.Mails), a.Since.Compare(b.Since))
	})
	if more = len(list) - mostWaiting; more > 0 {
		return list[:mostWaiting], more + v.unread, err
	}
	return list, v.unread, err
}

// A view is what breaker and backlogs say at one moment.
type view struct {
	whose   Whose
	owns    func(account string) bool
	now     time.Time
	blocked map[string]*breaker.State // parked and slow ones, by account
	waits   map[string]*breaker.State // for settings, by account
	down    []*breaker.State

	stats    []backlog.Stat
	due      map[string]time.Time // by account
	settings map[string]int64
	unread   int // accounts with backlogs that were not read
}

// view takes the states that concern those whose problems are asked for.
func (s *Service) view(ctx context.Context, whose Whose) (*view, error) {
	states, err := s.options.States(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{whose: whose, owns: whose.owner(), now: s.options.Now(), blocked: map[string]*breaker.State{}, waits: map[string]*breaker.State{}, due: map[string]time.Time{}}
	for _, state := range states {
		switch account := state.Account(); {
		case account == "":
			v.down = append(v.down, state)
		case !v.owns(account):
		case state.Kind == breaker.Settings:
			v.waits[account] = state
		default:
			v.blocked[account] = state
		}
	}
	return v, nil
}

// owner tells whether an account belongs to those whose problems are asked for.
func (w Whose) owner() func(account string) bool {
	tenant := resolver.Place{Tenant: w.Tenant}.String()
	users := string(resolver.User) + strings.TrimPrefix(tenant, string(resolver.Tenant)) + "/"
	return func(account string) bool {
		return w.All || account == tenant || w.Tenant != "" && strings.HasPrefix(account, users)
	}
}

// read asks Redis.
func (v *view) read(ctx context.Context, s *Service) error {
	listed, all, err := s.options.Backlogs.Latest(ctx, mostListed)
	if err != nil {
		return err
	}
	v.unread = int(max(0, all-mostListed))
	accounts := slices.Collect(maps.Keys(v.blocked))
	for _, l := range listed {
		if !v.owns(l.Account) {
			continue
		}
		v.due[l.Account] = l.Due
		switch {
		case v.blocked[l.Account] != nil: // it is among them
		case len(accounts) >= mostBacklogs:
			v.unread++
		default:
			accounts = append(accounts, l.Account)
		}
	}
	if err := s.options.Backlogs.StatsOf(ctx, accounts, func(stat backlog.Stat) { v.stats = append(v.stats, stat) }); err != nil {
		return err
	}
	v.settings, err = s.forSettings(ctx, slices.Sorted(maps.Keys(v.waits)))
	return err
}

// list puts states and backlogs together.
func (v *view) list(ctx context.Context, s *Service) []Waiting {
	var list []Waiting
	mails := make(map[string]backlog.Stat, len(v.stats))
	servers := v.servers(ctx, s)
	for _, stat := range v.stats {
		mails[stat.Account] = stat
		if v.blocked[stat.Account] == nil {
			if w, ok := v.unblocked(stat, servers); ok {
				list = append(list, w)
			}
		}
	}
	for account, state := range v.blocked {
		w := v.ofState(account, state, mails[account])
		if w.Kind == Parked || w.Mails > 0 || !w.Until.IsZero() { // else its pause is over, and nothing waits
			list = append(list, w)
		}
	}
	for account, state := range v.waits {
		n, known := v.settings[account]
		if n > 0 || !known {
			list = append(list, v.ofState(account, state, backlog.Stat{Mails: n}))
		}
	}
	if v.whose.All {
		for _, server := range v.down {
			if w := v.ofServer(server, servers); w.Mails > 0 || !w.Until.IsZero() {
				list = append(list, w)
			}
		}
	}
	return list
}

// ofState is an account that the breaker blocks, or whose mails wait for its settings.
func (v *view) ofState(account string, state *breaker.State, stat backlog.Stat) Waiting {
	w := Waiting{
		Kind: Kind(state.Kind), Account: account, Tenant: tenantOf(account), Since: state.Since, Until: v.ahead(state.Until),
		Mails: stat.Mails, Oldest: stat.Oldest, Detail: state.Detail,
	}
	if w.Kind == Slow { // the state is that of its latest pause
		w.Since = earlier(w.Since, w.Oldest)
	}
	return w
}

// unblocked is an account with a backlog that the breaker does not block, if that is
// worth telling: its own limit is used up, its server is down, or it takes too long.
func (v *view) unblocked(stat backlog.Stat, servers map[string]*breaker.State) (Waiting, bool) {
	w := Waiting{
		Kind: Kind(stat.Reason), Account: stat.Account, Tenant: tenantOf(stat.Account), Since: stat.Oldest, Oldest: stat.Oldest, Mails: stat.Mails,
	}
	switch w.Kind {
	case Rate:
		w.Until = v.ahead(v.due[stat.Account])
		return w, w.Until.Sub(v.now) > rateFor || v.now.Sub(stat.Oldest) > busyFor
	case Down:
		server, known := servers[stat.Account]
		switch {
		case server != nil:
			w.Server, w.Since, w.Until = hostOf(server), earlier(server.Since, stat.Oldest), v.ahead(server.Until)
			w.Detail = server.Detail
			w.Diagnostic = "" // it may have been said to another tenant
			return w, !v.whose.All
		case !known && len(v.down) > 0:
			return w, true // which of them it is was not learned
		}
	}
	w.Kind = Busy // what it was put down for is over
	return w, v.now.Sub(stat.Oldest) > busyFor
}

// ofServer is a server that cannot be reached, with the mails of all accounts.
func (v *view) ofServer(state *breaker.State, servers map[string]*breaker.State) Waiting {
	w := Waiting{Kind: Down, Server: hostOf(state), Since: state.Since, Until: v.ahead(state.Until), Detail: state.Detail}
	for _, stat := range v.stats {
		if servers[stat.Account] == state && v.blocked[stat.Account] == nil {
			w.Accounts++
			w.Mails += stat.Mails
			w.Oldest = earlier(stat.Oldest, w.Oldest)
		}
	}
	w.Since = earlier(w.Since, w.Oldest)
	return w
}

// earlier is a, or b if that is before it and no zero time.
func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// ahead is a time that is still to come; zero: it is over, and a mail tries.
func (v *view) ahead(t time.Time) time.Time {
	if t.After(v.now) {
		return t
	}
	return time.Time{}
}

func tenantOf(account string) string {
	p, err := resolver.ParsePlace(account)
	if err != nil {
		return ""
	}
	return p.Tenant
}
