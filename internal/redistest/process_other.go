//go:build !linux

package redistest

import "syscall"

// dieWithParent is nothing here: only Linux knows a parent-death signal.
func dieWithParent() *syscall.SysProcAttr { return nil }
