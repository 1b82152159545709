package porttest

import (
	"net"
	"strconv"
)

// reserve takes a name in the kernel (unix(7), abstract sockets) that one process at a
// time can have, and that ends with it.
func reserve(port int) (release func(), err error) {
	l, err := net.Listen("unix", "@rohrpost-test-port-"+strconv.Itoa(port))
	if err != nil {
		return nil, errTaken
	}
	return func() { _ = l.Close() }, nil
}
