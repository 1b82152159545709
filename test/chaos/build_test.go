package chaos

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A builder builds the program. What it changes it changes in copies, which the
// compiler reads in place of the files of the repository.
type builder struct {
	t       *testing.T
	folder  string
	replace map[string]string
}

// root is where the module of the program is: this one has what only the storm needs.
const root = "../.."

// build builds the program as it is, or changed.
func build(t *testing.T, name string, changes ...func(*builder)) string {
	t.Helper()
	b := &builder{t: t, folder: t.TempDir(), replace: map[string]string{}}
	for _, change := range changes {
		change(b)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": b.replace})
	if err != nil {
		t.Fatal(err)
	}
	b.write("overlay.json", overlay)
	program := filepath.Join(b.folder, name)
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(b.folder, "overlay.json"), "-o", program, "github.com/rohrpost/rohrpost/cmd/rohrpost")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return program
}

func (b *builder) write(name string, text []byte) string {
	b.t.Helper()
	path := filepath.Join(b.folder, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// list asks go for something about a package.
func (b *builder) list(what, pkg string) string {
	b.t.Helper()
	cmd := exec.Command("go", "list", "-f", what, pkg)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// after puts text behind a place of a function's body. The place is found by the
// parser: a source that has changed too much is no silent success.
func (b *builder) after(pkg, file, function, text string, place func(*ast.FuncDecl) token.Pos) {
	b.t.Helper()
	path := filepath.Join(b.list("{{.Dir}}", pkg), file)
	source, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			at := files.Position(place(f)).Offset
			changed := bytes.Join([][]byte{source[:at], source[at:]}, []byte(text))
			b.replace[path] = b.write(strings.ReplaceAll(pkg, "/", "-")+"-"+file, changed)
			return
		}
	}
	b.t.Fatalf("%s has no function %s", path, function)
}

// planted leaves out one write of the ledger: that a mail is about to leave.
func planted(b *builder) {
	b.after("github.com/rohrpost/rohrpost/internal/ledger", "ledger.go", "Arm", "\n\tif l != nil {\n\t\treturn nil\n\t}\n",
		func(f *ast.FuncDecl) token.Pos { return f.Body.Lbrace + 1 })
}

// clockVariable names the file with the seconds by which a worker's clock is wrong.
const clockVariable = "CHAOS_CLOCK"

// jumping gives the program a wall clock that can be set while it runs. faketime
// cannot: a Go program does not ask libc for the time. As on a real machine the
// monotonic clock, by which timers run, is not moved.
func jumping(b *builder) {
	b.after("time", "time.go", "Now", "\n\tsec += ChaosShift.Load()\n",
		func(f *ast.FuncDecl) token.Pos { return f.Body.List[0].End() })
	b.replace[filepath.Join(b.list("{{.Dir}}", "time"), "chaos_shift.go")] = b.write("shift.go", []byte(`package time

import "sync/atomic"

var ChaosShift atomic.Int64
`))
	b.replace[filepath.Join(b.list("{{.Dir}}", "github.com/rohrpost/rohrpost/cmd/rohrpost"), "chaos_clock.go")] = b.write("clock.go", []byte(`package main

import (
	"os"
	"strconv"
	"time"
)

func init() {
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			text, _ := os.ReadFile(os.Getenv("`+clockVariable+`"))
			seconds, err := strconv.ParseInt(string(text), 10, 64)
			if err == nil {
				time.ChaosShift.Store(seconds)
			}
		}
	}()
}
`))
}
