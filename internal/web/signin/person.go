package signin

import (
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A Person is whoever sent a request.
type Person struct {
	Name    string // by which they sign in; empty: nobody is known
	Called  string // the name of the human being, if it is known
	Session bool   // they can sign out
	Role    string // one of configs
	Tenant  string // of all roles but the operator's
	User    string // id of the user whose account a RoleUser may see
	Address string // their own mailbox: where test mails go
	// What a signed link says of them; empty: the browser decides.
	Language  string
	Zone      string // of the IANA time zone database
	ReturnURL string // the page of the application that they came from
}

// Operator reports whether p may see and do everything.
func (p Person) Operator() bool { return p.Role == configs.RoleOperator }

// MayRead reports whether p may see what a tenant's mails and accounts do.
func (p Person) MayRead(tenant string) bool {
	return p.Operator() || (p.Role == configs.RoleAdmin || p.Role == configs.RoleReader) && p.Tenant != "" && p.Tenant == tenant
}

// MayManage reports whether p may change what is a tenant's.
func (p Person) MayManage(tenant string) bool {
	return p.Operator() || p.Role == configs.RoleAdmin && p.MayRead(tenant)
}

// MayOwn reports whether p may change the account of a tenant's user: an administrator,
// or that user.
func (p Person) MayOwn(tenant, user string) bool {
	return p.MayManage(tenant) || p.Role == configs.RoleUser && user != "" && p.Tenant != "" && p.Tenant == tenant && p.User == user
}

// Actor is p as the accounts know one.
func (p Person) Actor() redisstore.Actor {
	a := redisstore.Actor{Name: "web:" + p.Name, Tenant: p.Tenant}
	switch p.Role {
	case configs.RoleOperator:
		a.Role = redisstore.Operator
	case configs.RoleAdmin:
		a.Role = redisstore.Admin
	case configs.RoleReader:
		a.Role = redisstore.Reader
	case configs.RoleUser:
		a.Role, a.User = redisstore.Person, p.User
	}
	return a
}
