package private

import "syscall"

// maxSocket is the longest path of a unix socket (unix(7): 108 bytes, the last
// one is zero).
const maxSocket = 107

// attributes keep the child out of Ctrl-C, which the terminal sends to the whole
// process group (the worker still needs its Redis), and end it with this process.
// SIGTERM lets it write its last changes.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
