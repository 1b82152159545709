//go:build unix

package private

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkOwner refuses a folder whose mails another user could read or replace: it is a
// link or somebody else's, or others may write where it lies and could exchange it.
func (f folder) checkOwner() error {
	if err := own(string(f)); err != nil {
		return err
	}
	above := filepath.Dir(string(f))
	info, err := os.Stat(above)
	if err != nil {
		return err
	}
	const othersWrite = 0o022
	if info.Mode().Perm()&othersWrite != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("%w: others may write in %s (mode %04o): chmod go-w %[2]s", ErrForeign, above, info.Mode().Perm())
	}
	return nil
}

// own refuses what is no folder of this user.
func own(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is a link or a file: name the folder itself", ErrForeign, path)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, and this process is of user %d: name another folder, or chown it", ErrForeign, path, s.Uid, os.Geteuid())
	}
	return nil
}
