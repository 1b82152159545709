package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// socketMode lets nobody but this process' user connect.
const socketMode = 0o600

// listenSocket serves a handler on a unix socket until Stop. key is the setting that
// holds its path.
func (a *App) listenSocket(key, path string, handler http.Handler) error {
	listener, err := newSocket(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	made, err := os.Lstat(path)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", key, err), listener.Close())
	}
	a.engine.OnStop("socket", func() error {
		if now, err := os.Lstat(path); err == nil && os.SameFile(made, now) { // else it is another process' by now
			return os.Remove(path)
		}
		return nil
	})
	a.serve(named{listener, &net.UnixAddr{Name: path, Net: "unix"}}, handler)
	return nil
}

// named is a listener that moved.
type named struct {
	net.Listener
	at net.Addr
}

// Addr is where it listens now.
func (n named) Addr() net.Addr { return n.at }

// newSocket makes a socket in a folder that nobody else may enter, and moves it to
// its place when its mode is right: at no moment can anybody else connect. What a
// process left behind that was killed is replaced.
func newSocket(path string) (net.Listener, error) {
	if err := vacant(path); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".") // of mode 0700
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	detour := filepath.Join(folder, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: detour, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	err = os.Chmod(detour, socketMode)
	if err == nil {
		err = os.Rename(detour, path)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// vacant says why a socket cannot be put at path: something else is there, or a
// process answers.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no socket: choose a path that nothing stands at", path)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s is in use: end the process that listens there, or choose another path", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return nil
}
