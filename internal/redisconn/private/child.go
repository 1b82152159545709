package private

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// A child is one run of redis-server.
type child struct {
	*os.Process
	folder folder
	logged int64         // size of the log before it began
	gone   chan struct{} // closed when it has ended and was waited for
	why    error         // how it ended; set before gone is closed
}

// commandLine: what is not on it is Redis' default. A configuration file is not
// read.
func (f folder) commandLine() []string {
	return []string{
		"--port", "0", "--unixsocket", f.socket(), "--unixsocketperm", "700",
		"--dir", string(f), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
		"--maxmemory", "0", "--maxmemory-policy", "noeviction",
		"--daemonize", "no", "--loglevel", "warning",
	}
}

// start runs the program; data is the lock that it inherits. Its goroutine keeps
// its OS thread until the program ends: the kernel sends the parent-death signal
// when the thread ends, not the process (prctl(2), PR_SET_PDEATHSIG).
func (f folder) start(program string, data *os.File) (*child, error) {
	log, err := os.OpenFile(f.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	logged, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	cmd := exec.Command(program, f.commandLine()...) //nolint:gosec,noctx // the program is redis-server; it ends by a signal that lets it write
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{data}
	cmd.SysProcAttr = attributes()
	c := &child{folder: f, logged: logged, gone: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.gone)
		defer func() { _ = log.Close() }()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			c.why = errors.New(cmd.ProcessState.String())
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	c.Process = cmd.Process
	return c, nil
}

// ready waits until the child answers. It may take its time to load its data.
func (c *child) ready(ctx context.Context) error {
	client, err := redisconn.Open(redisconn.Options{URL: c.folder.url()})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if c.folder.answers() == nil && client.Ping(ctx).Err() == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-c.gone:
			timer.Stop()
			return fmt.Errorf("redis-server does not start (%w): %s (see %s)", c.why, c.lastWords(), c.folder.log())
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// lastWords are the last line of this child's log.
func (c *child) lastWords() string {
	log, err := os.ReadFile(c.folder.log())
	if err != nil || int64(len(log)) < c.logged {
		return "it left no log"
	}
	lines := bytes.Split(bytes.TrimSpace(log[c.logged:]), []byte("\n"))
	return string(bytes.TrimSpace(lines[len(lines)-1]))
}

// end lets the child write what it has, and waits for it.
func (c *child) end() error {
	_ = c.Signal(syscall.SIGTERM) // or it has ended already
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.gone:
		return nil
	case <-timer.C:
	}
	_ = c.Kill()
	<-c.gone
	return fmt.Errorf("redis-server did not end within %v and was killed (see %s)", patience, c.folder.log())
}
