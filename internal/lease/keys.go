package lease

import "strings"

const (
	// processesKey is a sorted set: process, by when Redis heard it last (Unix ms).
	processesKey = "rohrpost:lease:processes"
	// wantedChannel names accounts by pub/sub: a connection of each is wanted.
	wantedChannel = "rohrpost:lease:wanted"
)

// accountKey is one of the keys of an account, all in one Cluster slot: a brace in an
// account's id does not end the hash tag, and no id has a percent sign before a 7.
func accountKey(account, name string) string {
	return "rohrpost:lease:{" + strings.ReplaceAll(account, "}", "%7D") + "}:" + name
}

// keys are the leases of an account's connections and the login that has worked, as
// in take.lua.
func keys(account string) []string {
	return []string{accountKey(account, "connections"), accountKey(account, "proven")}
}
