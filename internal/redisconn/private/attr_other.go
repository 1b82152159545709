//go:build !unix

package private

import "syscall"

const maxSocket = 107

func attributes() *syscall.SysProcAttr { return nil }
