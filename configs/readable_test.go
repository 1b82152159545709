package configs_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/configs"
)

func TestReadableSecrets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) configs.Path {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		return configs.Path(path)
	}
	c := configs.Default()
	c.Secrets.IdentityFile = file("key.txt", 0o644)
	c.Redis.PasswordFile = file("redis", 0o640)
	c.OAuth2.GoogleClientSecretFile = "/run/secrets/google"
	c.Web.Users = []configs.User{{PasswordBcryptFile: file("operator", 0o604)}}
	got := strings.Join(c.ReadableSecrets(), "\n")
	if n := strings.Count(got, "\n"); n != 1 || !strings.Contains(got, "secrets.identity_file") || !strings.Contains(got, "key.txt (mode 0644)") ||
		!strings.Contains(got, "web.users[0].password_bcrypt_file") {
		t.Errorf("warnings:\n%s", got)
	}
}
