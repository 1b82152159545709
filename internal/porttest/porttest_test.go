package porttest_test

import (
	"net"
	"testing"

	"github.com/rohrpost/rohrpost/internal/porttest"
)

// Nobody gets a port twice while a test has it, whether something listens there or not.
func TestAddr(t *testing.T) {
	t.Parallel()
	mine := map[int]bool{}
	for range 300 {
		a := porttest.Addr(t)
		if mine[a.Port] || !a.IP.Equal(net.IPv4(127, 0, 0, 1)) {
			t.Fatalf("%v was given away twice", a)
		}
		mine[a.Port] = true
	}
	l, err := net.ListenTCP("tcp", porttest.Addr(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

// A test that has ended gives its ports back.
func TestReserve(t *testing.T) {
	t.Parallel()
	const port = 9 // none that Addr gives away
	release, err := porttest.Reserve(port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := porttest.Reserve(port); err == nil {
		t.Error("reserved twice")
	}
	release()
	if release, err = porttest.Reserve(port); err != nil {
		t.Fatalf("given back, and not to be had: %v", err)
	}
	release()
}
