package configs

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// maxSecret is far above every password and hash, and below what a wrong path
// like /dev/zero would give.
const maxSecret = 64 * KiB

// readSecrets fills each secret from its _file twin.
func (l *loader) readSecrets() {
	r := &l.config.Redis
	direct, file := l.origins["redis.password"].layer, l.origins["redis.password_file"].layer
	switch {
	case direct > file:
		r.PasswordFile = ""
	case file > direct:
		r.Password = secret.String{}
	}
	l.readSecret("redis.password", &r.Password, r.PasswordFile)
	for i := range l.config.Web.Users {
		u := &l.config.Web.Users[i]
		l.readSecret(fmt.Sprintf("web.users[%d].password_bcrypt", i), &u.PasswordBcrypt, u.PasswordBcryptFile)
	}
}

func (l *loader) readSecret(key string, into *secret.String, file Path) {
	if file == "" {
		return
	}
	if !into.IsZero() {
		l.fail(key, "is set beside "+key+"_file: keep one of them")
		return
	}
	value, err := readSecretFile(string(file))
	if err != nil {
		l.fail(key+"_file", err.Error())
		return
	}
	*into = value
}

// readSecretFile is the file without the line end that editors add.
func readSecretFile(name string) (secret.String, error) {
	info, err := os.Stat(name)
	if err != nil {
		return secret.String{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(maxSecret) {
		return secret.String{}, fmt.Errorf("%s is no file with a secret: it must be a regular file under %v", name, maxSecret)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return secret.String{}, err
	}
	value := strings.TrimRight(string(b), "\r\n")
	if value == "" {
		return secret.String{}, errors.New(name + " is empty: write the secret into it")
	}
	return secret.New(value), nil
}
