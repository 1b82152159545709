package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestNewSocket(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "web.sock")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newSocket(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("one that answers: %v", err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	// A program that another test is just starting has a copy of it until its exec(2).
	redistest.Until(t, "nobody answers", func() bool {
		conn, err := net.Dial("unix", path)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	l, err := newSocket(path)
	if err != nil {
		t.Fatalf("one that was left behind: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeSocket|socketMode {
		t.Errorf("%v, %v", info, err)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Error(err)
	} else {
		_ = conn.Close()
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newSocket(file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file: %v", err)
	}
	if _, err := newSocket(filepath.Join(folder, "none", "web.sock")); err == nil {
		t.Error("no folder")
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}
