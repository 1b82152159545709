package configs

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// maxSecret is far above every password and hash, and below what a wrong path
// like /dev/zero would give.
const maxSecret = 64 * KiB

// A twin is a secret and the file that may hold it.
type twin struct {
	key   string
	value *rohrpost.Secret
	file  *Path
}

func (c *Config) twins() []twin {
	t := []twin{
		{"redis.password", &c.Redis.Password, &c.Redis.PasswordFile},
		{"secrets.identity", &c.Secrets.Identity, &c.Secrets.IdentityFile},
		{"oauth2.microsoft_client_secret", &c.OAuth2.MicrosoftClientSecret, &c.OAuth2.MicrosoftClientSecretFile},
		{"oauth2.google_client_secret", &c.OAuth2.GoogleClientSecret, &c.OAuth2.GoogleClientSecretFile},
		{"web.metrics_token", &c.Web.MetricsToken, &c.Web.MetricsTokenFile},
		{"web.forward_auth.secret", &c.Web.ForwardAuth.Secret, &c.Web.ForwardAuth.SecretFile},
		{"web.oidc.client_secret", &c.Web.OIDC.ClientSecret, &c.Web.OIDC.ClientSecretFile},
	}
	for i := range c.DKIM {
		k := &c.DKIM[i]
		t = append(t, twin{fmt.Sprintf("dkim[%d].key", i), &k.Key, &k.KeyFile})
	}
	for i := range c.Web.Users {
		u := &c.Web.Users[i]
		t = append(t, twin{fmt.Sprintf("web.users[%d].password_bcrypt", i), &u.PasswordBcrypt, &u.PasswordBcryptFile})
	}
	for i := range c.Web.Links {
		link := &c.Web.Links[i]
		t = append(t, twin{fmt.Sprintf("web.links[%d].secret", i), &link.Secret, &link.SecretFile})
	}
	return t
}

// PayloadRecipients are the public keys that mails are sealed for; none if they are not.
// The error is that of a key.
func (c *Config) PayloadRecipients() ([]string, error) {
	if !c.Payload.Seal {
		return nil, nil
	}
	box, err := seal.New(seal.Options{Recipients: c.Secrets.Recipients, Identities: c.Secrets.Identity})
	if err != nil {
		return nil, err
	}
	return box.Recipients(), nil
}

// readSecrets fills each secret from its _file twin: of the two the one from the
// higher layer counts.
func (l *loader) readSecrets() {
	for _, t := range l.config.twins() {
		inPlace, inFile := l.origins[t.key].layer, l.origins[t.key+"_file"].layer
		switch {
		case inPlace > inFile:
			*t.file = ""
		case inFile > inPlace:
			*t.value = rohrpost.Secret{}
		}
		l.readSecret(t.key, t.value, *t.file)
	}
	for i := range l.config.Web.Links {
		link := &l.config.Web.Links[i]
		public := rohrpost.NewSecret(link.PublicKey) // it is none, and is read the same way
		l.readSecret(fmt.Sprintf("web.links[%d].public_key", i), &public, link.PublicKeyFile)
		link.PublicKey = public.Reveal()
	}
}

func (l *loader) readSecret(key string, into *rohrpost.Secret, file Path) {
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
func readSecretFile(name string) (rohrpost.Secret, error) {
	info, err := os.Stat(name)
	if err != nil {
		return rohrpost.Secret{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(maxSecret) {
		return rohrpost.Secret{}, fmt.Errorf("%s is no file with a secret: it must be a regular file under %v", name, maxSecret)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return rohrpost.Secret{}, err
	}
	value := strings.TrimRight(string(b), "\r\n")
	if value == "" {
		return rohrpost.Secret{}, errors.New(name + " is empty: write the secret into it")
	}
	return rohrpost.NewSecret(value), nil
}
