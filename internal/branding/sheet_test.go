package branding_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/branding"
)

func TestRenameBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		css, want      string // empty: unchanged
		ruled, colored bool
	}{
		"nothing":             {css: "p{color:red}"},
		"margin":              {"body{margin:0}", ".rohrpost-body{margin:0}", true, false},
		"color":               {"body{margin:0;color:red}", ".rohrpost-body{margin:0;color:red}", true, true},
		"background":          {" BODY\n{ BackGround : url(a;b) }", " .rohrpost-body\n{ BackGround : url(a;b) }", true, true},
		"color of others":     {"body{margin:0}p{color:red}", ".rohrpost-body{margin:0}p{color:red}", true, false},
		"list":                {"body,html body,#a>body.b,body:hover,p{}", ".rohrpost-body,html .rohrpost-body,#a>.rohrpost-body.b,.rohrpost-body:hover,p{}", true, false},
		"in a media rule":     {"@media print{body{color:red}td{x:y}}", "@media print{.rohrpost-body{color:red}td{x:y}}", true, true},
		"after a media rule":  {"@media print{p{a:b}}body{a:b}", "@media print{p{a:b}}.rohrpost-body{a:b}", true, false},
		"after an import":     {`@import "body.css";body{a:b}`, `@import "body.css";.rohrpost-body{a:b}`, true, false},
		"comment before":      {"/* body{} */body{a:b}", "/* .rohrpost-body{} */.rohrpost-body{a:b}", true, false},
		"class, id, word":     {css: ".body,#body,tbody,.x-body,my\\body,[a=body],[a=\"body\"]{color:red}"},
		"value":               {css: "p{font-family:body;content:'body{'}"},
		"string with a brace": {`p{content:"}body{\"}";a:b}body{c:d}`, `p{content:"}body{\"}";a:b}.rohrpost-body{c:d}`, true, false},
		"open string":         {"p{content:'x\n}body{c:d}", "p{content:'x\n}.rohrpost-body{c:d}", true, false},
		"open comment":        {css: "p{}/* body{c:d}"},
		"no end":              {"body{a:b", ".rohrpost-body{a:b", true, false},
		"no rule":             {css: "body"},
		"ends in an escape":   {css: "body '\\"},
	} {
		got, ruled, colored := branding.RenameBody(c.css)
		if c.want == "" {
			c.want = c.css
		}
		if got != c.want || ruled != c.ruled || colored != c.colored {
			t.Errorf("%s: %q, %t, %t", name, got, ruled, colored)
		}
	}
}

func FuzzRenameBody(f *testing.F) {
	for _, s := range []string{"body{color:red}", "/*body*/ body {", `"body{"}body{`, "@media x{body{a:'b;\\'}'}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, css string) {
		got, ruled, _ := branding.RenameBody(css)
		if back := strings.ReplaceAll(got, ".rohrpost-body", "body"); !strings.EqualFold(back, strings.ReplaceAll(css, ".rohrpost-body", "body")) {
			t.Fatalf("%q became %q", css, got)
		}
		if !ruled && got != css {
			t.Fatalf("changed without a rule: %q", got)
		}
	})
}
