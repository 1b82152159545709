package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// ErrInUse says that another process has the directory; its text names it.
var ErrInUse = errors.New("another rohrpost runs its private Redis there")

// errLocked is the answer of lock: somebody else holds it.
var errLocked = errors.New("locked")

// patience bounds the wait for a redis-server whose parent was killed: it writes
// its last changes to disk.
const patience = 30 * time.Second

// Two locks, both the kernel's, which forgets them with their holders. That of
// the owner is the user who may run a server here. That of the data is inherited by the
// redis-server: it is held for as long as one writes.
type locks struct{ owner, data *os.File }

func (f folder) lock(ctx context.Context) (l locks, err error) {
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	l.owner, err = lock(f.file("owner.lock"))
	if errors.Is(err, errLocked) {
		pid, _ := os.ReadFile(f.file("owner.lock"))
		return l, fmt.Errorf("%w: process %s has %s", ErrInUse, strings.TrimSpace(string(pid)), f)
	}
	if err != nil {
		return l, err
	}
	if err = l.owner.Truncate(0); err == nil {
		_, err = l.owner.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return l, err
	}
	l.data, err = f.inherit(ctx)
	return l, err
}

// inherit waits for the redis-server that a killed process has left behind, after
// telling it to end.
func (f folder) inherit(ctx context.Context) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		file, err := lock(f.file("data.lock"))
		if !errors.Is(err, errLocked) {
			return file, err
		}
		if !told {
			told = f.shutdown(ctx) == nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("a redis-server that a killed rohrpost has left behind in %s does not end: end it (kill -TERM)", f)
		}
	}
}

// shutdown tells the redis-server that answers here to end.
func (f folder) shutdown(ctx context.Context) error {
	if err := f.answers(); err != nil {
		return err
	}
	client, err := redisconn.Open(redisconn.Options{URL: f.url()})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return client.Shutdown(ctx).Err()
}

// release gives both up. That of the owner is unlocked as well: a process that is
// being started just now has a copy of the file, for a moment.
func (l locks) release() {
	if l.owner != nil {
		unlock(l.owner)
		_ = l.owner.Close()
	}
	if l.data != nil {
		_ = l.data.Close()
	}
}
