//go:build unix && !linux

package private

import "syscall"

// maxSocket is the longest path of a unix socket (unix(4): 104 bytes, the last
// one is zero).
const maxSocket = 103

// attributes keep the child out of Ctrl-C, which the terminal sends to the whole
// process group: the worker still needs its Redis. Only Linux knows a
// parent-death signal.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
