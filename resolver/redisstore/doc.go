// Package redisstore keeps sender accounts in Redis, for all workers and for
// those who edit them.
//
// A [Store] is a resolver.Store: it answers from memory, and what one process
// changes the others use within a second (pub/sub; a time to live is the net
// below it). It is also where accounts are edited: every change names the version
// it was made from, so that two people cannot overwrite each other silently, and
// stands in the tenant's audit stream. Secrets are sealed on the way in.
//
// An account lives through states: the platform may demand that a tenant is
// unlocked, that settings are checked, and that they are approved, before they
// carry mail. Operators unlock and approve; a tenant's administrator enters and
// checks. The state follows from what was done, and is never stored itself.
package redisstore
