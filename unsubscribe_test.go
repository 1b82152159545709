package rohrpost_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	type U = rohrpost.Unsubscribe
	for name, tt := range map[string]struct {
		u      U
		fields string // of the refusals
	}{
		"a link":               {U{URL: "https://acme.example/out?u=%C3%BC&k=a_b~c"}, ""},
		"one click":            {U{URL: "HTTPS://acme.example/out", OneClick: true}, ""},
		"a mail":               {U{Mailto: "out+4711@acme.example?subject=Abmelden%204711"}, ""},
		"both":                 {U{URL: "https://acme.example/", Mailto: "out@acme.example"}, ""},
		"nothing":              {U{}, "unsubscribe"},
		"one click, no link":   {U{Mailto: "out@acme.example", OneClick: true}, "unsubscribe.url"},
		"without TLS":          {U{URL: "http://acme.example/out"}, "unsubscribe.url"},
		"a script":             {U{URL: "javascript:alert(1)"}, "unsubscribe.url"},
		"no host":              {U{URL: "https:///out"}, "unsubscribe.url"},
		"relative":             {U{URL: "/out"}, "unsubscribe.url"},
		"a second link":        {U{URL: "https://acme.example/>, <https://evil.example/"}, "unsubscribe.url"},
		"a line end":           {U{URL: "https://acme.example/\r\nBcc: x@example.org"}, "unsubscribe.url"},
		"an umlaut":            {U{URL: "https://acme.example/ü"}, "unsubscribe.url"},
		"too long":             {U{URL: "https://acme.example/" + strings.Repeat("x", 900)}, "unsubscribe.url"},
		"no address":           {U{Mailto: "acme.example"}, "unsubscribe.mailto"},
		"a link as an address": {U{Mailto: "mailto:out@acme.example"}, "unsubscribe.mailto"},
		"a percent sign":       {U{Mailto: "out%2c@acme.example"}, "unsubscribe.mailto"},
		"a mail with spaces":   {U{Mailto: "out@acme.example?subject=a b"}, "unsubscribe.mailto"},
	} {
		m := validMessage()
		m.Unsubscribe = &tt.u
		if got := refusedFields(m.Validate(validateAt)); got != tt.fields {
			t.Errorf("%s: %q is refused, want %q", name, got, tt.fields)
		}
	}
}

func TestUnsubscribeFields(t *testing.T) {
	t.Parallel()
	if fields := (*rohrpost.Unsubscribe)(nil).Fields(); fields != nil {
		t.Errorf("nothing: %v", fields)
	}
	u := rohrpost.Unsubscribe{URL: "https://acme.example/out", Mailto: "out@acme.example", OneClick: true}
	want := []rohrpost.Header{
		{Name: "List-Unsubscribe", Value: "<https://acme.example/out>, <mailto:out@acme.example>"},
		{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
	}
	if diff := cmp.Diff(want, u.Fields()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
