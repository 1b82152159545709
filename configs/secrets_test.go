package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	dir, bcryptHash := t.TempDir(), hash(t)
	for name, text := range map[string]string{
		"redis": "from file\n", "crlf": "windows\r\n", "empty": "\n", "hash": bcryptHash + "\n",
		"huge": strings.Repeat("x", int(maxSecret)+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		yaml    string
		environ []string
		want    string // the password
		err     string
	}{
		"relative to the file":      {yaml: "redis: {password_file: redis}", want: "from file"},
		"line end of Windows":       {yaml: "redis: {password_file: crlf}", want: "windows"},
		"direct":                    {yaml: "redis: {password: 0123}", want: "0123"},
		"variable over file":        {yaml: "redis: {password_file: none}", environ: []string{"ROHRPOST_REDIS_PASSWORD=env"}, want: "env"},
		"variable's file":           {yaml: "redis: {password: x}", environ: []string{"ROHRPOST_REDIS_PASSWORD_FILE=" + dir + "/redis"}, want: "from file"},
		"both":                      {yaml: "redis: {password: hunter2, password_file: redis}", err: "redis.password (rohrpost.yaml:1): is set beside redis.password_file: keep one"},
		"missing":                   {yaml: "redis: {password_file: none}", err: "redis.password_file (rohrpost.yaml:1): stat none: no such file"},
		"empty":                     {yaml: "redis: {password_file: empty}", err: "is empty"},
		"a folder":                  {yaml: "redis: {password_file: .}", err: "is no file with a secret"},
		"too large":                 {yaml: "redis: {password_file: huge}", err: "is no file with a secret"},
		"hash of a user":            {yaml: "web: {users: [{name: max, role: operator, password_bcrypt_file: hash}]}"},
		"hash of a user, missing":   {yaml: "web:\n  users:\n  - name: max\n    password_bcrypt_file: none", err: "web.users[0].password_bcrypt_file (rohrpost.yaml:4): stat none"},
		"hash of a user and file":   {yaml: "web: {users: [{name: max, password_bcrypt: x, password_bcrypt_file: hash}]}", err: "keep one"},
		"users replaced by the ENV": {yaml: "web: {users: [{name: max, password_bcrypt_file: none}]}", environ: []string{"ROHRPOST_WEB_USERS=[]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "_")+".yaml")
			if err := os.WriteFile(path, []byte(tt.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := Load(path, tt.environ)
			switch {
			case tt.err == "" && err != nil:
				t.Fatal(err)
			case tt.err != "":
				text := strings.NewReplacer(path, "rohrpost.yaml", dir+"/", "").Replace(err.Error())
				if !strings.Contains(text, tt.err) || strings.Contains(text, "hunter2") {
					t.Errorf("%s, want %s", text, tt.err)
				}
			case got.Redis.Password.Reveal() != tt.want:
				t.Errorf("password %q, want %q", got.Redis.Password.Reveal(), tt.want)
			}
			for _, u := range got.Web.Users {
				if u.PasswordBcrypt.Reveal() != bcryptHash {
					t.Errorf("hash %q", u.PasswordBcrypt.Reveal())
				}
			}
		})
	}
}
