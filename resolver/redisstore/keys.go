package redisstore

import (
	"strings"

	"github.com/rohrpost/rohrpost/resolver"
)

// All records of a tenant and its audit stream share a hash tag, so that a change
// and its entry are one step in a cluster too.
const (
	tenantsKey = "rohrpost:accounts:tenants" // set of tenant ids
	namesKey   = "rohrpost:accounts:names"   // the same as a sorted set of score 0, for pages by name
	waitingKey = "rohrpost:accounts:waiting" // sorted set: formatPlace of what may wait for an operator, by since when (Unix ms)
	channel    = "rohrpost:accounts:changed" // pub/sub: "tenant\x00user"
)

// recordsKey is a hash: "tenant" or "user/ID" to a record, "#" before it to its
// version, which outlives the record.
func recordsKey(p resolver.Place) string { return "rohrpost:accounts:" + tag(p) }

// auditKey is a stream of changes.
func auditKey(p resolver.Place) string { return "rohrpost:accounts:" + tag(p) + ":audit" }

// usersKey is a sorted set of score 0: the ids of the tenant's users with a record.
func usersKey(p resolver.Place) string { return "rohrpost:accounts:" + tag(p) + ":users" }

func tag(p resolver.Place) string {
	if p.Tenant == "" {
		return "{platform}"
	}
	return "{t:" + p.Tenant + "}"
}

// field of a place in its hash.
func field(p resolver.Place) string {
	switch {
	case p.Tenant == "":
		return "platform"
	case p.User == "":
		return "tenant"
	}
	return "user/" + p.User
}

func versionField(p resolver.Place) string { return "#" + field(p) }

func formatPlace(p resolver.Place) string { return p.Tenant + "\x00" + p.User }

func parsePlace(message string) resolver.Place {
	tenant, user, _ := strings.Cut(message, "\x00")
	return resolver.Place{Tenant: tenant, User: user}
}
