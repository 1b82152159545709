// Package porttest is for tests. It finds ports for servers that are told where to
// listen: redis-server, nginx, the program itself.
package porttest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports lie below those that the kernel gives away itself (Linux: from 32768):
// nobody's outgoing connection and no listener at port 0 has one when its server
// starts, or starts again.
const first, count, tries = 10000, 22000, 100

var errTaken = errors.New("another test has it")

// Addr is an address at 127.0.0.1 at which nothing listens. Nobody else who asks this
// package, in this process or in another one, gets it until the test ends.
func Addr(tb testing.TB) *net.TCPAddr {
	tb.Helper()
	var err error
	for range tries {
		port := first + rand.IntN(count)
		var release func()
		if release, err = reserve(port); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err != nil {
			release()
			continue
		}
		_ = l.Close()
		tb.Cleanup(release)
		return l.Addr().(*net.TCPAddr)
	}
	tb.Fatalf("porttest: no free port: %v", err)
	return nil
}
