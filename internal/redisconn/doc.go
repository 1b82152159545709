// Package redisconn is the one way to open Redis.
//
// [Open] reads the URL of a single server, of a Sentinel group or of a Cluster
// and answers with a client whose options are right for a mail queue: contexts
// end commands, a Redis that is away is noticed at once and not after four
// silent dials, and nothing is sent that an ACL user may not be allowed to say.
//
// [Ping] says in one line why Redis cannot be used, [Warnings] which of its
// settings would lose mail. [Redacted] is a URL without its secrets: no error of
// this package holds a password, not even of a URL that cannot be read.
//
// Sub-package embedded is a Redis in memory, for the demo and for development;
// private is a redis-server that belongs to one process.
package redisconn
