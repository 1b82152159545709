//go:build unix

package private_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn/private"
)

// TestForeignFolder: mails are not written where somebody else may read them, or put
// others in their place.
func TestForeignFolder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, dir string)
		remedy  string
	}{
		"a link": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Symlink(t.TempDir(), filepath.Join(dir, "redis")); err != nil {
				t.Fatal(err)
			}
		}, "name the folder itself"},
		"others may write above it": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Chmod(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}, "chmod go-w"},
		"it is another user's": {func(t *testing.T, dir string) {
			t.Helper()
			if os.Geteuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			redis := filepath.Join(dir, "redis")
			if err := errors.Join(os.Mkdir(redis, 0o700), os.Chown(redis, 65534, -1)); err != nil {
				t.Fatal(err)
			}
		}, "chown it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			tt.prepare(t, dir)
			s, err := private.Start(t.Context(), private.Options{Dir: dir, Logger: zerolog.Nop()})
			if err == nil {
				_ = s.Stop()
			}
			if !errors.Is(err, private.ErrForeign) || !strings.Contains(err.Error(), tt.remedy) {
				t.Errorf("error %v", err)
			}
		})
	}
}
