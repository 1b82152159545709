package configs

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
)

func TestShowHidesSecrets(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Redis.URL = "redis://max:canary@h"
	c.Redis.Password = secret.New("canary")
	c.Web.Users = []User{
		{Name: "max", PasswordBcrypt: secret.New("canary"), Role: RoleAdmin, Tenant: "acme"},
		{Name: "olga", PasswordBcrypt: secret.New("canary"), PasswordBcryptFile: "/run/olga", Role: RoleOperator},
	}
	var out bytes.Buffer
	if err := c.Show(&out); err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%s %v %+v %#v", out.String(), c, c, c.Web)
	if strings.Contains(strings.ReplaceAll(printed, c.Redis.URL, ""), "canary") || strings.Contains(out.String(), "canary") {
		t.Errorf("a secret: %s", printed)
	}
	for _, want := range []string{"url: redis://max:[redacted]@h", "password: '[redacted]'", "max_message_size: 25MiB", "give_up: 24h0m0s", "password_bcrypt_file: /run/olga"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, out.String())
		}
	}
	if c.Web.Users[1].PasswordBcrypt.IsZero() {
		t.Error("Show changed the configuration")
	}
}

func TestShowCanBeLoaded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	want := Default()
	want.Accounts.File = "/etc/rohrpost/accounts.yaml"
	want.Web.Users, want.Web.Links, want.DKIM = []User{}, []Link{}, []DKIM{}
	if err := want.Show(&out); err != nil {
		t.Fatal(err)
	}
	got, err := Load(write(t, "shown.yaml", out.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, want, got)
}
