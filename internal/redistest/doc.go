// Package redistest gives a test a real redis-server of its own.
//
// [Start] runs one in a directory of its own, on a unix socket (or, asked by
// [TCP], on a free loopback port), and answers once PING does; that takes some
// 20 ms, so a server per test is the rule and no test sees another one's keys.
// [Server.Client] and [Server.URL] are the ways in.
//
// For chaos a server can be stopped, killed, started again with its data, and
// paused: it then holds its connections and answers nobody.
//
// The server ends with the test, and on Linux with the test process, however
// that ends. Where no redis-server is installed a test is skipped, and fails if
// CI is set.
package redistest
