package rohrpost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// screen is how many lines the short form of a package's documentation has at most.
const screen = 60

// TestPublicPackages: what an application may import says in its exported names
// nothing that an application cannot import.
func TestPublicPackages(t *testing.T) {
	t.Parallel()
	exports, public := packages(t)
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, path := range public {
		pkg, err := imports.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkg.Scope().Names() {
			o := pkg.Scope().Lookup(name)
			if text := internal(o); text != "" && o.Exported() {
				t.Errorf("%s.%s names an internal type: %s", path, name, text)
			}
		}
		doc, err := exec.CommandContext(t.Context(), "go", "doc", "-short", path).Output()
		if n := bytes.Count(doc, []byte{'\n'}); err != nil || n > screen {
			t.Errorf("go doc -short %s: %d lines, more than a screen (%v)", path, n, err)
		}
	}
}

// packages are the files with what each package exports, by import path, and the
// packages that an application may import.
func packages(t *testing.T) (exports map[string]string, public []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=Name,ImportPath,Export,Module", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports = map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Name, ImportPath, Export string
			Module                   struct{ Main bool }
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return exports, public
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module.Main && p.Export != "" && p.Name != "main" && !strings.Contains(p.ImportPath, "/internal/") {
			public = append(public, p.ImportPath)
		}
	}
}

// internal is what an application sees of an object, if an internal type stands in
// there: of a struct the exported fields, of a type the exported methods, too.
func internal(o types.Object) string {
	var found string
	see := func(what types.Object) {
		text := types.ObjectString(what, (*types.Package).Path)
		if strings.Contains(text, "rohrpost/internal/") || strings.Contains(text, "/producer/internal/") {
			found = text
		}
	}
	name, isType := o.(*types.TypeName)
	if !isType {
		see(o)
		return found
	}
	if alias, ok := name.Type().(*types.Alias); ok {
		see(types.NewVar(o.Pos(), o.Pkg(), o.Name(), alias.Rhs()))
		return found
	}
	named := name.Type().(*types.Named)
	for m := range named.Methods() {
		if m.Exported() {
			see(m)
		}
	}
	fields, isStruct := named.Underlying().(*types.Struct)
	if !isStruct {
		see(types.NewVar(o.Pos(), o.Pkg(), o.Name(), named.Underlying()))
		return found
	}
	for f := range fields.Fields() {
		if f.Exported() {
			see(f)
		}
	}
	return found
}
