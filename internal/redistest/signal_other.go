//go:build !unix

package redistest

import "syscall"

// There is no redis-server to signal here; the package only has to build.
const (
	terminateSignal = syscall.SIGKILL
	pauseSignal     = syscall.SIGKILL
	resumeSignal    = syscall.SIGKILL
)
