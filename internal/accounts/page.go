package accounts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A Filter picks the lines of a list.
type Filter string

// The filters.
const (
	Everything Filter = ""
	Troubled   Filter = "trouble"  // waits, cannot send, or does not carry mail yet
	NoAccount  Filter = "none"     // known here, without an account
	Undecided  Filter = "decision" // an operator has to decide
)

// A Query asks for a page of a tenant's list.
type Query struct {
	Tenant string
	Prefix string // of the ids of users
	Filter Filter
	After  string // id of the user after whom the page begins; empty: the first page
	Limit  int    // lines; 0: 50
}

// A Line is one place of a list.
type Line struct {
	Item
	Account  bool // there is one; else the place is known for a name, or what belongs to a tenant
	Name     string
	Decision redisstore.Decision // that an operator has to make
	Refused  bool                // an operator has refused what was asked for
	Waiting  int64               // mails that wait for the account
	Accepted time.Time           // when a server has accepted a mail of it last; zero: not known
}

// A Listing is a page of a list.
type Listing struct {
	Lines []Line
	// Next is Query.After of the next page; empty: this is the last one. There may be
	// one although the page is not full: after 2,000 places it ends anyway.
	Next string
}

const (
	linesOfPage = 50
	// mostLooked is how many places a page looks at.
	mostLooked = 2000
	portion    = 200
)

// Page is a page of a tenant's accounts: its own first, then those of its users by id.
// Of an application's accounts only the tenant's own is known. The error is
// redisstore.ErrForbidden, or that of the store.
func (s *Service) Page(ctx context.Context, who redisstore.Actor, q Query) (Listing, error) {
	if err := redisstore.MaySee(who, resolver.Place{Tenant: q.Tenant}); err != nil {
		return Listing{}, err
	}
	if q.Limit == 0 {
		q.Limit = linesOfPage
	}
	var out Listing
	if q.After == "" && q.Prefix == "" {
		lines, err := s.lines(ctx, []resolver.Place{{Tenant: q.Tenant}})
		if err != nil {
			return out, err
		}
		out.Lines = picked(lines, q.Filter)
	}
	for looked := 0; q.Tenant != "" && looked < mostLooked; looked += portion {
		users, err := s.users(ctx, &q, q.After, portion)
		if err != nil {
			return out, err
		}
		places := make([]resolver.Place, len(users))
		for i, user := range users {
			places[i] = resolver.Place{Tenant: q.Tenant, User: user}
		}
		lines, err := s.lines(ctx, places)
		if err != nil {
			return out, err
		}
		out.Lines = append(out.Lines, picked(lines, q.Filter)...)
		if len(out.Lines) > q.Limit {
			out.Lines = out.Lines[:q.Limit]
			out.Next = out.Lines[q.Limit-1].Place.User
			return out, s.measure(ctx, out.Lines)
		}
		if out.Next = ""; len(users) < portion {
			break
		}
		out.Next = users[len(users)-1]
		q.After = out.Next
	}
	return out, s.measure(ctx, out.Lines)
}

// Tenants are the ids of tenants that are known here, in order: at most n that begin with
// prefix and come after the id after. They have sent mail, or something of them is stored.
func (s *Service) Tenants(ctx context.Context, prefix, after string, n int) ([]string, error) {
	var stored, sent []string
	var err error
	switch {
	case s.store != nil:
		stored, err = s.store.Tenants(ctx, prefix, after, n)
	case s.file != nil:
		stored = s.file.Tenants(prefix, after, n)
	}
	if err == nil && s.senders != nil {
		sent, err = s.senders.Tenants(ctx, prefix, after, n)
	}
	if err != nil {
		return nil, err
	}
	names := slices.Concat(stored, sent)
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(n, len(names))], nil
}

// TenantLines are the lines of tenants' own places.
func (s *Service) TenantLines(ctx context.Context, who redisstore.Actor, tenants []string) ([]Line, error) {
	if err := redisstore.MaySee(who, resolver.Place{}); err != nil {
		return nil, err
	}
	places := make([]resolver.Place, len(tenants))
	for i, tenant := range tenants {
		places[i].Tenant = tenant
	}
	lines, err := s.lines(ctx, places)
	if err != nil {
		return nil, err
	}
	return lines, s.measure(ctx, lines)
}

func (s *Service) users(ctx context.Context, q *Query, after string, n int) ([]string, error) {
	switch {
	case s.store != nil:
		return s.store.Users(ctx, q.Tenant, q.Prefix, after, n)
	case s.own != nil:
		return nil, nil
	}
	return s.file.Users(q.Tenant, q.Prefix, after, n), nil
}

// lines are those of places; one at which nothing is stored has none, but a tenant's.
func (s *Service) lines(ctx context.Context, places []resolver.Place) ([]Line, error) {
	if s.store == nil {
		return s.linesElsewhere(ctx, places)
	}
	records, err := s.store.GetAll(ctx, places)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for i, r := range records {
		switch {
		case r != nil:
			line := lineOf(r)
			if r.Account != nil {
				line.Item, line.Account = s.item(r.Account, r.Version), true
			}
			lines = append(lines, line)
		case places[i].User == "":
			lines = append(lines, nothingAt(places[i]))
		}
	}
	return lines, nil
}

func nothingAt(p resolver.Place) Line { return Line{Item: Item{Place: p, ID: p.String()}} }

// lineOf is a record without its account.
func lineOf(r *redisstore.Record) Line {
	line := nothingAt(r.Place)
	line.Version = r.Version
	line.Name = strings.TrimSpace(r.Entry.FirstName + " " + r.Entry.LastName)
	line.Decision, line.Refused = r.Waits, r.Refused != nil
	return line
}

// linesElsewhere are those of accounts in a file, or of an application.
func (s *Service) linesElsewhere(ctx context.Context, places []resolver.Place) ([]Line, error) {
	var lines []Line
	for _, p := range places {
		c, err := s.Accounts(ctx, p.Tenant, p.User)
		if err != nil {
			return nil, err
		}
		line := nothingAt(p)
		if a := candidate(&c, p.Level()); a != nil {
			line.Item, line.Account = s.item(a, 0), true
		}
		if p.User != "" {
			line.Name = strings.TrimSpace(c.Person.FirstName + " " + c.Person.LastName)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func picked(lines []Line, f Filter) []Line {
	return slices.DeleteFunc(lines, func(l Line) bool {
		switch f {
		case Troubled:
			return !l.Account || l.Block == nil && l.Unusable == "" && (l.State == resolver.Active.String() || l.Default)
		case NoAccount:
			return l.Account
		case Undecided:
			return l.Decision == ""
		case Everything:
		}
		return false
	})
}

// measure asks how many mails wait for the accounts, and when one was accepted last.
func (s *Service) measure(ctx context.Context, lines []Line) error {
	var ids []string
	var at []int
	for i := range lines {
		if lines[i].Account {
			ids, at = append(ids, lines[i].ID), append(at, i)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	sizes, err := s.backlog.Sizes(ctx, ids...)
	if err != nil {
		return err
	}
	accepted, err := s.breaker.LastAccepted(ctx, ids...)
	if err != nil {
		return err
	}
	for k, i := range at {
		lines[i].Waiting, lines[i].Accepted = sizes[k], accepted[k]
	}
	return nil
}

// Pending is how many places wait for a decision of an operator, counted up to most.
func (s *Service) Pending(ctx context.Context, most int) (int, error) {
	if s.store == nil {
		return 0, nil
	}
	list, _, err := s.store.Waiting(ctx, redisstore.Actor{Role: redisstore.Operator}, 0, most)
	return len(list), err
}
