package failure

import "syscall"

// Winsock numbers its errors otherwise: the POSIX names of package syscall
// match nothing that the network returns.
const (
	wsaENETDOWN     = syscall.Errno(10050)
	wsaENETUNREACH  = syscall.Errno(10051)
	wsaECONNABORTED = syscall.Errno(10053)
	wsaECONNRESET   = syscall.Errno(10054)
	wsaECONNREFUSED = syscall.Errno(10061)
	wsaEHOSTDOWN    = syscall.Errno(10064)
	wsaEHOSTUNREACH = syscall.Errno(10065)
)

func errnoRefused() []error { return []error{wsaECONNREFUSED} }

func errnoUnreachable() []error {
	return []error{wsaEHOSTUNREACH, wsaENETUNREACH, wsaENETDOWN, wsaEHOSTDOWN}
}

func errnoLost() []error { return []error{wsaECONNRESET, wsaECONNABORTED} }
