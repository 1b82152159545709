package configs

import (
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost"
)

func (n *Notices) check(p *problems) {
	p.add(n.After < time.Second || n.After > 24*time.Hour, "notices.after", "%v is out of range: 1s to 24h", n.After)
	for i, address := range n.Operators {
		err := rohrpost.CheckAddress(address)
		p.add(err != nil, fmt.Sprintf("notices.operators[%d]", i), "%v", err)
	}
}

// Addresses are who gets the operators' notices beside the platform's administrator:
// Operators, else the users of the pages who are operators and have an address.
func (n *Notices) Addresses(users []User) []string {
	if len(n.Operators) > 0 {
		return n.Operators
	}
	var list []string
	for i := range users {
		if u := &users[i]; u.Role == RoleOperator && u.Address != "" && !slices.Contains(list, u.Address) {
			list = append(list, u.Address)
		}
	}
	return list
}

// Warnings are what a worker should tell its operator, one line each.
func (n *Notices) Warnings(pages Web) []string {
	if !n.Enabled || pages.PublicURL != "" || len(pages.Users) == 0 {
		return nil
	}
	return []string{"web.public_url is not set: mails that tell administrators of accounts that have stopped hold no link to the page"}
}
