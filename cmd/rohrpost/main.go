// Command rohrpost sends the mail of business software: it delivers what
// applications have put into Redis, shows what went wrong, and can be tried
// without anything installed ("rohrpost demo").
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/progress"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// version is set by the linker.
var version = "dev"

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitDoubt  = 3 // of queue check: nothing is known to be wrong, but not all is known
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, pace: progress.Pace(os.Stderr)}, os.Environ())
	stop()
	os.Exit(code)
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	pace     time.Duration // of progress on err; 0: it is no terminal
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams, environ []string) int {
	redisconn.LogTo(zerolog.Nop())    // what goes wrong is the command's one line
	s.err = zerolog.SyncWriter(s.err) // the log writes there, too
	c := &cli{streams: s, environ: environ}
	root := c.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	_, _ = fmt.Fprintln(s.err, "rohrpost:", err)
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*doubtError](err); ok {
		return exitDoubt
	}
	return exitFailed
}

// doubtError is a number of mails of which a later check will tell.
type doubtError struct{ mails int }

func (e *doubtError) Error() string {
	return count(e.mails, "mail") + " in doubt: check again in some minutes"
}

// usageError is a command line that makes no sense.
type usageError struct{ cause error }

func (e *usageError) Error() string { return e.cause.Error() }
func (e *usageError) Unwrap() error { return e.cause }
