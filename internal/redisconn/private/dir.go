package private

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// What keeps a private Redis from being started; each has a remedy in its text.
var (
	ErrNoHome  = errors.New("neither XDG_STATE_HOME nor HOME is set, so there is no directory for a private Redis: set redis.url to embedded:/var/lib/rohrpost, or to a Redis server")
	ErrForeign = errors.New("mails would lie where another user may read or replace them")
	ErrTooLong = errors.New("the path is too long for a unix socket: set redis.url to a shorter one, as embedded:/var/lib/rohrpost")
)

// DefaultDir is rohrpost in the folder for state of the XDG Base Directory
// Specification: $XDG_STATE_HOME, else ~/.local/state. environ is as that of
// os.Environ. The error is ErrNoHome.
func DefaultDir(environ []string) (string, error) {
	set := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		set[name] = value
	}
	state := set["XDG_STATE_HOME"]
	if !filepath.IsAbs(state) { // the specification: a relative one is to be ignored
		home := cmp.Or(set["HOME"], set["USERPROFILE"])
		if home == "" {
			return "", ErrNoHome
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "rohrpost"), nil
}

// Find is the URL of the private Redis of dir, if one runs.
func Find(dir string) (rawURL string, runs bool) {
	f := folder(filepath.Join(dir, "redis"))
	if f.answers() != nil {
		return "", false
	}
	return f.url(), true
}

// A folder holds all that a private Redis needs.
type folder string

func (f folder) file(name string) string { return filepath.Join(string(f), name) }
func (f folder) socket() string          { return f.file("redis.sock") }
func (f folder) log() string             { return f.file("redis.log") }

func (f folder) url() string {
	u := url.URL{Scheme: "unix", Path: f.socket()}
	return strings.ReplaceAll(u.String(), "@", "%40") // else it ends a password
}

// create makes the folder, for this user only. It may lie in one that others may
// read: the mails in it are not for them.
func (f folder) create() error {
	if n := len(f.socket()); n > maxSocket {
		return fmt.Errorf("%w (%s has %d bytes, at most %d are possible)", ErrTooLong, f.socket(), n, maxSocket)
	}
	const ownerOnly = 0o700
	if err := os.MkdirAll(string(f), ownerOnly); err != nil {
		return err
	}
	if err := f.checkOwner(); err != nil {
		return err
	}
	return os.Chmod(string(f), ownerOnly)
}

// answers dials: go-redis would log each failure.
func (f folder) answers() error {
	conn, err := new(net.Dialer).Dial("unix", f.socket())
	if err != nil {
		return err
	}
	return conn.Close()
}
