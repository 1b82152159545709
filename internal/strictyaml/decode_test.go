package strictyaml

import (
	"errors"
	"testing"
)

// TestSyntax: what the YAML library quotes of the file is not passed on.
func TestSyntax(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"yaml: line 3: cannot decode !!str `canary` as a !!int", "f.yaml:3: is no YAML: cannot decode !!str … as a !!int"},
		{"yaml: anchor 'canary' value contains itself", "f.yaml: is no YAML: anchor … value contains itself"},
		{"yaml: unknown anchor 'canary' referenced", "f.yaml:2: a value that begins with * must stand in quotes"},
	} {
		d := &Document{file: "f.yaml"}
		d.syntax([]byte("a: b\nc: *canary"), errors.New(tt.text))
		if got := d.Err().Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
