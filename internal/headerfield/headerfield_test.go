package headerfield_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/headerfield"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]struct{ good, bad []string }{
		"references": {
			[]string{"<a@b.example>", "<a@b.example> <c$d+e@f>", "<a@b><c@d>", " <a@b.example>\t<c@d> "},
			[]string{"", "a@b.example", "<a>", "<a@b.example>, <c@d>", "<ä@b.example>", "<a b@c>", "<a@b.example", "<" + strings.Repeat("x", 900) + "@b>"},
		},
		"disposition-notification-to": {
			[]string{"a@b.example", "Jörg Müller <joerg@acme.example>", `"Müller, Jörg" <a@bücher.example>, b@c.example`},
			[]string{"", "nobody", "jörg@acme.example", "a@müller_gmbh.example", "<a@b.example"},
		},
		"list-unsubscribe": {
			[]string{"<https://acme.example/?a=1,2>", "<https://acme.example/>, <mailto:a@b.example?subject=x>", "(web) <https://a.example/> (by mail), <mailto:a@b.example>"},
			[]string{"", "https://acme.example/", "<https://acme.example/ü>", "<https://acme.example/a b>", "<https://a.example/> <https://b.example/>"},
		},
		"list-post":             {[]string{"NO", "<mailto:a@b.example>"}, []string{"no", "YES"}},
		"archived-at":           {[]string{"<https://acme.example/4711>"}, []string{"x"}},
		"list-id":               {[]string{"<a.b.example>", "Kunden und Gäste <kunden.acme.example>"}, []string{"", "kunden", "<a b>", "<ä.example>", "<a> <b>"}},
		"importance":            {[]string{"high", ""}, []string{"höchste", "=?utf-8?q?high?=", strings.Repeat("x", 901)}},
		"x-data":                {[]string{"", "ü", strings.Repeat("{}", 700), " a  b ", "=?x?="}, nil},
		"comments":              {[]string{"was auch immer ist"}, nil},
		"list-unknown":          {[]string{"ü"}, nil},
		"list-unsubscribe-post": {[]string{"List-Unsubscribe=One-Click"}, []string{"1", "list-unsubscribe=one-click"}},
	} {
		for _, v := range values.good {
			if err := headerfield.Check(name, v); err != nil {
				t.Errorf("%s: %q: %v", name, v, err)
			}
		}
		for _, v := range values.bad {
			if err := headerfield.Check(name, v); err == nil {
				t.Errorf("%s: %.100q is taken", name, v)
			}
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]bool{
		"x-mailgun-tag": false, "comments": false, "keywords": false, "references": false, "in-reply-to": false,
		"importance": true, "list-unsubscribe": true, "disposition-notification-to": true, "organization": true,
	} {
		if headerfield.Once(name) != once {
			t.Error(name)
		}
	}
}
