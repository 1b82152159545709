package resolver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

func complete(a *resolver.Account) *resolver.Account {
	a.SMTP = resolver.SMTP{
		Host: "smtp.acme.example", Port: 465, Encryption: resolver.TLS,
		Authentication: true, Username: a.Address, Password: resolver.NewSecret("canary-hunter2"),
	}
	return a
}

func TestID(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]*resolver.Account{
		"platform":            platform(),
		"tenant/acme":         tenant(),
		"user/acme/max":       user(),
		"user/a%2Fb/c":        {Level: resolver.User, Tenant: "a/b", User: "c"},
		"user/a/b%2Fc":        {Level: resolver.User, Tenant: "a", User: "b/c"},
		"tenant/a%252Fb":      {Level: resolver.Tenant, Tenant: "a%2Fb"},
		"user/acme/max@x.com": {Level: resolver.User, Tenant: "acme", User: "max@x.com"},
	} {
		if got := a.ID(); got != want {
			t.Errorf("ID is %s, want %s", got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	checkPrint(t, (*resolver.Account).Version)
}

// checkPrint changes every field of an account, by reflection, so that a new
// field cannot be forgotten. The one that no login depends on changes nothing.
func checkPrint(t *testing.T, of func(*resolver.Account) string) {
	t.Helper()
	base := func() *resolver.Account {
		a := complete(tenant())
		a.Aliases = []string{"a@acme.example", "b@acme.example"}
		return a
	}
	first := of(base())
	if first != of(base()) {
		t.Fatal("equal accounts differ")
	}
	if len(first) != 24 || strings.Contains(first, "canary") {
		t.Errorf("print is %q", first)
	}
	changed := 0
	var walk func(v reflect.Value, path string, a *resolver.Account)
	walk = func(v reflect.Value, path string, a *resolver.Account) {
		for i := range v.NumField() {
			f, name := v.Field(i), path+v.Type().Field(i).Name
			old := reflect.ValueOf(f.Interface())
			switch {
			case f.Type() == reflect.TypeFor[resolver.Secret]():
				f.Set(reflect.ValueOf(resolver.NewSecret("canary-hunter3")))
			case f.Kind() == reflect.Struct:
				walk(f, name+".", a)
				continue
			case f.Kind() == reflect.String:
				f.SetString(f.String() + "x")
			case f.Kind() == reflect.Bool:
				f.SetBool(!f.Bool())
			case f.Kind() == reflect.Int:
				f.SetInt(f.Int() + 1)
			case f.Kind() == reflect.Slice:
				f.Set(reflect.ValueOf([]string{"a@acme.example"}))
			default:
				t.Fatalf("%s: a kind this test does not know", name)
			}
			changed++
			if login := name != "Fallback"; login == (of(a) == first) {
				t.Errorf("%s changes the print: %v, want %v", name, !login, login)
			}
			f.Set(old)
		}
	}
	a := base()
	walk(reflect.ValueOf(a).Elem(), "", a)
	if of(a) != first || changed < 18 {
		t.Errorf("the walk changed %d fields and did not restore them", changed)
	}
	// What moves from one field to the next is another account.
	b, c := base(), base()
	b.Name, b.CentralSender.Name = "xy", ""
	c.Name, c.CentralSender.Name = "x", "y"
	if of(b) == of(c) {
		t.Error("fields run into each other")
	}
}

func TestAccountHidesSecret(t *testing.T) {
	t.Parallel()
	a := complete(user())
	j, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %+v", a, *a, *a, a), string(j), a.Version(), a.ID(), strings.Join(a.Warnings(), ""),
		fmt.Sprintf("%+v", resolver.Sender{Account: a}), fmt.Sprintf("%x", a.SMTP.Password),
	} {
		if strings.Contains(text, "canary") || strings.Contains(text, "63616e617279") {
			t.Errorf("the password is in %s", text)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*resolver.Account)
		want   string // field of the only problem; empty: none
	}{
		{"fine", func(*resolver.Account) {}, ""},
		{"no address", func(a *resolver.Account) { a.Address = "" }, "address"},
		{"bad address", func(a *resolver.Account) { a.Address = "a@b@c" }, "address"},
		{"line break in the name", func(a *resolver.Account) { a.Name = "a\r\nBcc: x" }, "name"},
		{"bad alias", func(a *resolver.Account) { a.Aliases = []string{"ok@acme.example", "no"} }, "aliases[1]"},
		{"empty alias", func(a *resolver.Account) { a.Aliases = []string{""} }, "aliases[0]"},
		{"bad central sender", func(a *resolver.Account) { a.CentralSender.Address = "no" }, "central_sender.address"},
		{"central sender is a name only", func(a *resolver.Account) { a.CentralSender.Name = "x" }, "central_sender.address"},
		{"line break in the central sender", func(a *resolver.Account) {
			a.CentralSender = rohrpost.Address{Name: "a\nb", Address: "s@acme.example"}
		}, "central_sender.name"},
		{"I3 central sender of a user", func(a *resolver.Account) {
			a.Level, a.CentralSender.Address = resolver.User, "s@acme.example"
		}, "central_sender"},
		{"no host", func(a *resolver.Account) { a.SMTP.Host = "" }, "smtp.host"},
		{"host with port", func(a *resolver.Account) { a.SMTP.Host = "smtp.acme.example:587" }, "smtp.host"},
		{"host is a URL", func(a *resolver.Account) { a.SMTP.Host = "smtp://acme.example" }, "smtp.host"},
		{"host with a space", func(a *resolver.Account) { a.SMTP.Host = "smtp acme" }, "smtp.host"},
		{"O3 IPv4", func(a *resolver.Account) { a.SMTP.Host = "192.0.2.7" }, ""},
		{"O3 IPv6", func(a *resolver.Account) { a.SMTP.Host = "2001:db8::7" }, ""},
		{"IPv6 with a zone", func(a *resolver.Account) { a.SMTP.Host = "fe80::1%eth0" }, "smtp.host"},
		{"international host", func(a *resolver.Account) { a.SMTP.Host = "mail.müller.example" }, ""},
		{"host of one label", func(a *resolver.Account) { a.SMTP.Host = "localhost" }, ""},
		{"port 0", func(a *resolver.Account) { a.SMTP.Port = 0 }, "smtp.port"},
		{"port too large", func(a *resolver.Account) { a.SMTP.Port = 65536 }, "smtp.port"},
		{"F3 any port", func(a *resolver.Account) { a.SMTP.Port = 2525 }, ""},
		{"encryption", func(a *resolver.Account) { a.SMTP.Encryption = "ssl" }, "smtp.encryption"},
		{"connections", func(a *resolver.Account) { a.SMTP.MaxConnections = -1 }, "smtp.max_connections"},
		{"login in clear", func(a *resolver.Account) { a.SMTP.Encryption = resolver.None }, "smtp.encryption"},
		{"login in clear, allowed", func(a *resolver.Account) {
			a.SMTP.Encryption, a.SMTP.AllowPlaintextLogin = resolver.None, true
		}, ""},
		{"no login in clear", func(a *resolver.Account) { a.SMTP.Encryption, a.SMTP.Authentication = resolver.None, false }, ""},
		{"no user name", func(a *resolver.Account) { a.SMTP.Username = "" }, "smtp.username"},
		{"no password", func(a *resolver.Account) { a.SMTP.Password = resolver.Secret{} }, "smtp.password"},
		{"password cannot be read", func(a *resolver.Account) { a.SMTP.Password, a.Unusable = resolver.Secret{}, "no" }, ""},
		{"T2 no login, no password", func(a *resolver.Account) { a.SMTP.Authentication, a.SMTP.Password = false, resolver.Secret{} }, ""},
		{"NUL in the password", func(a *resolver.Account) { a.SMTP.Password = resolver.NewSecret("a\x00b") }, "smtp.username"},
		{"O2 switched off and incomplete", func(a *resolver.Account) {
			*a = resolver.Account{
				Level: resolver.Tenant, UsePlatformDefault: true,
				SMTP: resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS, Authentication: true},
			}
		}, ""},
		{"O2 switched off and wrong", func(a *resolver.Account) { a.UsePlatformDefault, a.Address = true, "no" }, "address"},
		{"platform switched off", func(a *resolver.Account) { a.Level, a.UsePlatformDefault = resolver.Platform, true }, "use_platform_default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := complete(tenant())
			tt.change(a)
			var got []string
			if err := a.Validate(); err != nil {
				for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
					if field, ok := errors.AsType[*rohrpost.FieldError](e); ok {
						got = append(got, field.Field)
					}
				}
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*resolver.Account)
		want   string // part of the only warning; empty: none
	}{
		{"none", func(*resolver.Account) {}, ""},
		{"O3 no encryption", func(a *resolver.Account) {
			a.SMTP.Encryption, a.SMTP.Port, a.SMTP.Authentication = resolver.None, 25, false
		}, "encryption is none"},
		{"T8 sender is not the login", func(a *resolver.Account) { a.SMTP.Username = "other@acme.example" }, "not the login"},
		{"T8 without a login", func(a *resolver.Account) { a.SMTP.Username, a.SMTP.Authentication = "other@acme.example", false }, ""},
		{"T8 user name is no address", func(a *resolver.Account) { a.SMTP.Username = "m0123456" }, ""},
		{"T8 same login in another case", func(a *resolver.Account) { a.SMTP.Username = "INFO@acme.example" }, ""},
		{"I3 central sender", func(a *resolver.Account) { a.CentralSender.Address = "service@acme.example" }, "alias"},
		{"465 with STARTTLS", func(a *resolver.Account) { a.SMTP.Encryption = resolver.STARTTLS }, "unusual"},
		{"587 with TLS", func(a *resolver.Account) { a.SMTP.Port = 587 }, "unusual"},
		{"unusable", func(a *resolver.Account) { a.Unusable = "its password cannot be read" }, "cannot be read: its mails wait"},
		{"O2 switched off", func(a *resolver.Account) { a.UsePlatformDefault, a.SMTP.Encryption = true, resolver.None }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := complete(tenant())
			tt.change(a)
			got := a.Warnings()
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("warnings are %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		set, usual, most int
		trusted          bool
		want             int
	}{
		{0, 4, 10, false, 4}, {1000, 4, 10, false, 10}, {3, 4, 10, false, 3}, {1000, 4, 10, true, 1000}, {1000, 4, 0, false, 1000}, {0, 20, 10, false, 10},
	} {
		a := &resolver.Account{SMTP: resolver.SMTP{MaxConnections: tt.set}, Trusted: tt.trusted}
		if got := a.Connections(tt.usual, tt.most); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}
