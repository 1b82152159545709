//go:build unix

package redistest

import "syscall"

const (
	terminateSignal = syscall.SIGTERM
	pauseSignal     = syscall.SIGSTOP
	resumeSignal    = syscall.SIGCONT
)
