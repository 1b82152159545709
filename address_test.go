package rohrpost_test

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
)

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	good := []string{
		"a@b", "max.muster@acme.example", "max+tag=7@acme.example", "!#$%&'*+-/=?^_`{|}~@acme.example", "MAX@ACME.EXAMPLE",
		"müller@bücher.example", "用户@例子.example", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@my_host.example", "a@xn--bcher-kva.example",
		long + "a@b.example", "a@" + long + ".example", "a@" + strings.Repeat(long+".", 3) + strings.Repeat("b", 60),
	}
	bad := []string{
		"", "@", "a", "a@", "@b", "a b@c", "a@b c", "a@@b", "a@b@c", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-",
		`"a b"@c`, `"a"@c`, "a(b)@c", "a@b(c)", "<a@b>", "a@b>", "a<@b", "a,b@c", "a;b@c", "a:b@c", "a\\b@c",
		"a@b\r\nRCPT TO:<c@d>", "a\n@b", "a\x00@b", "a@b\x00", "a\t@b", "a\u0085@b", "a\u2028@b", "a\u00a0@b", "a\u200b@b", "a\ufeff@b", "a@b\u2028",
		"a\xff@b", "a@b\xff", "a@[192.0.2.1", "a@192.0.2.1]", "a@[192.0.2.256]", "a@[2001:db8::1]", "a@[IPv6:192.0.2.1]", "a@[IPv6:fe80::1%eth0]",
		"a@[IPv6:fe80::1%x> y]", "a@[]", "a@b]", long + "aa@b", "a@" + long + "a.example", "a@" + strings.Repeat(long+".", 3) + strings.Repeat("b", 61),
	}
	for _, s := range good {
		if err := rohrpost.CheckAddress(s); err != nil {
			t.Errorf("%q is refused: %v", s, err)
		}
	}
	for _, s := range bad {
		err := rohrpost.CheckAddress(s)
		if !errors.Is(err, rohrpost.ErrAddress) {
			t.Errorf("%q: %v", s, err)
		} else if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%q: the error has control characters: %q", s, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want rohrpost.Address
		ok   bool
	}{
		{"a@b.example", rohrpost.Address{Address: "a@b.example"}, true},
		{"  a@b.example\n", rohrpost.Address{Address: "a@b.example"}, true},
		{"<a@b.example>", rohrpost.Address{Address: "a@b.example"}, true},
		{"Max Muster <a@b.example>", rohrpost.Address{Name: "Max Muster", Address: "a@b.example"}, true},
		{`"Muster, Max" <a@b.example>`, rohrpost.Address{Name: "Muster, Max", Address: "a@b.example"}, true},
		{"Müller <müller@bücher.example>", rohrpost.Address{Name: "Müller", Address: "müller@bücher.example"}, true},
		{"=?UTF-8?Q?M=C3=BCller?= <a@b.example>", rohrpost.Address{Name: "Müller", Address: "a@b.example"}, true},
		{"=?UTF-8?Q?M=0D=0ABcc:_c@d?= <a@b.example>", rohrpost.Address{}, false},
		{`"a b"@c.example`, rohrpost.Address{}, false},
		{"a@b, c@d", rohrpost.Address{}, false},
		{"Max", rohrpost.Address{}, false},
		{"", rohrpost.Address{}, false},
		{strings.Repeat("x", 1<<20), rohrpost.Address{}, false},
		{strings.Repeat("x", 4082) + " <a@b.example>", rohrpost.Address{Name: strings.Repeat("x", 4082), Address: "a@b.example"}, true},
		{strings.Repeat("x", 4083) + " <a@b.example>", rohrpost.Address{}, false},
	}
	for _, tt := range tests {
		got, err := rohrpost.ParseAddress(tt.in)
		if got != tt.want || (err == nil) != tt.ok || err != nil && !errors.Is(err, rohrpost.ErrAddress) {
			t.Errorf("%.80q: got %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%.80q: an error of %d bytes", tt.in, len(err.Error()))
		}
	}
}

// harmless is what every accepted address must be, whatever wrote it: it goes
// into MAIL and RCPT commands and into header fields as it is.
func harmless(t *testing.T, address string) {
	t.Helper()
	if strings.ContainsAny(address, "\r\n\x00 <>\t\"(),;\\") || strings.Count(address, "@") != 1 || len(address) > 254 || !utf8.ValidString(address) {
		t.Errorf("%q was accepted", address)
	}
	if again, err := rohrpost.ParseAddress(address); err != nil || again.Address != address {
		t.Errorf("%q does not survive: %+v, %v", address, again, err)
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "a@[IPv6:::ffff:192.0.2.1]", "a@[192.0.2.1]", "ü@ü", "a@b\r\nX: y", "a@b> <c", "a.@b", "\u2028@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if rohrpost.CheckAddress(s) == nil {
			harmless(t, s)
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", `"M, M" <a@b>`, "=?utf-8?q?=0A?= <a@b>", "a (c) <a@b>", `"\` + "\r\n" + `" <a@b>`, "<a@[192.0.2.1]>", "x: a@b;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := rohrpost.ParseAddress(s)
		if err != nil {
			if !errors.Is(err, rohrpost.ErrAddress) {
				t.Errorf("an error without identity: %v", err)
			}
			return
		}
		harmless(t, got.Address)
		if strings.ContainsAny(got.Name, "\r\n\x00") || !utf8.ValidString(got.Name) {
			t.Errorf("name %q", got.Name)
		}
		if len(got.Name) > 256 { // Validate refuses it, and its encoded words may be too long
			return
		}
		header := (&mail.Address{Name: got.Name, Address: "a@b.example"}).String()
		if again, err := rohrpost.ParseAddress(header); err != nil || again.Name != got.Name {
			t.Errorf("name %q does not survive as %q: %+v, %v", got.Name, header, again, err)
		}
	})
}
