//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package private

import (
	"errors"
	"os"
)

// lock is not to be had here: there is no redis-server for these systems either.
func lock(string) (*os.File, error) {
	return nil, errors.New("this system cannot run a private Redis: set redis.url to a Redis server")
}

func unlock(*os.File) {}
