//go:build !windows

package failure

import "syscall"

func errnoRefused() []error { return []error{syscall.ECONNREFUSED} }

func errnoUnreachable() []error {
	return []error{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN}
}

func errnoLost() []error {
	return []error{syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE}
}
