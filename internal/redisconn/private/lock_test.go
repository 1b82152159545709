//go:build unix

package private

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A redis-server has its lock for as long as it runs, whatever becomes of its
// parent; nobody starts a second one beside it.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "private")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.locks.owner.Close(), s.locks.data.Close() // as the kernel does for a process that was killed
	data := filepath.Join(dir, "redis", "data.lock")
	if _, err := lock(data); !errors.Is(err, errLocked) {
		t.Errorf("beside a server that runs: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	held, err := lock(data) // by a server that does not end
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Start(ctx, Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "left behind") {
		t.Errorf("beside a server that does not end: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Start(t.Context(), Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}
