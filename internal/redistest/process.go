package redistest

import (
	"os"
	"os/exec"
	"runtime"
)

// A process is a running server.
type process struct {
	*os.Process
	gone chan struct{} // closed when the process has ended and was waited for
}

// start runs the program. Its goroutine keeps its OS thread until the program
// ends: the kernel sends the parent-death signal when the thread ends, not the
// process (prctl(2), PR_SET_PDEATHSIG).
func start(program string, args []string, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()
	started, gone := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(gone)
		defer func() { _ = log.Close() }()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // ended by a signal: that is how servers end here
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return &process{Process: cmd.Process, gone: gone}, nil
}
