//go:build !linux

package chaos

import "syscall"

// As BSD and macOS number them; elsewhere the package only has to build.
const (
	freeze = syscall.Signal(17)
	thaw   = syscall.Signal(19)
)

// dieWithParent is nothing here: only Linux knows a parent-death signal.
func dieWithParent() *syscall.SysProcAttr { return nil }
