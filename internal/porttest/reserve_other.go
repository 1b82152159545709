//go:build !linux

package porttest

import "sync"

var taken sync.Map // of int

// reserve knows of this process alone: other systems have no name that ends with it.
func reserve(port int) (release func(), err error) {
	if _, twice := taken.LoadOrStore(port, true); twice {
		return nil, errTaken
	}
	return func() { taken.Delete(port) }, nil
}
