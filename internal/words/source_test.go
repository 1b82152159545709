package words_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the module's directory, from that of this package.
const root = "../.."

// A source is the Go code of one package, without its tests.
type source struct {
	files  *token.FileSet
	parsed map[string]*ast.File // by name
	consts map[string]string    // package-level constants of type string, by name
}

func read(t *testing.T, dir string) *source {
	t.Helper()
	s := &source{files: token.NewFileSet(), parsed: map[string]*ast.File{}, consts: map[string]string{}}
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.files, filepath.Join(root, dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.parsed[e.Name()] = f
	}
	s.eachConst(func(name, _ string, value ast.Expr) {
		if text, ok := s.format(value); ok {
			s.consts[name] = text
		}
	})
	return s
}

// eachConst gives the name, type and value of every package-level constant that has a value.
func (s *source) eachConst(do func(name, kind string, value ast.Expr)) {
	for _, name := range slices.Sorted(maps.Keys(s.parsed)) {
		for _, d := range s.parsed[name].Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, spec := range decl.Specs {
				v := spec.(*ast.ValueSpec)
				kind, _ := v.Type.(*ast.Ident)
				for i := range min(len(v.Names), len(v.Values)) {
					typed := ""
					if kind != nil {
						typed = kind.Name
					}
					do(v.Names[i].Name, typed, v.Values[i])
				}
			}
		}
	}
}

// values are the constants of a type, as its source declares them.
func (s *source) values(kind string) []string {
	var out []string
	s.eachConst(func(_, typed string, value ast.Expr) {
		if text, ok := s.format(value); ok && typed == kind {
			out = append(out, text)
		}
	})
	return out
}

// format is the text that an expression writes, as a format for fmt: a literal, a
// constant, a sum of texts, and what errors.New, fmt.Errorf and fmt.Sprintf are given. What
// is no literal in a sum is %s.
func (s *source) format(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return strings.ReplaceAll(text, "%", "%%"), e.Kind == token.STRING && err == nil
	case *ast.Ident:
		text, ok := s.consts[e.Name]
		return text, ok
	case *ast.ParenExpr:
		return s.format(e.X)
	case *ast.BinaryExpr:
		left, ok1 := s.format(e.X)
		right, ok2 := s.format(e.Y)
		if e.Op != token.ADD || !ok1 && !ok2 {
			return "", false
		}
		return orVerb(left, ok1) + orVerb(right, ok2), true
	case *ast.CallExpr:
		return s.formatOfCall(e)
	}
	return "", false
}

func orVerb(text string, known bool) string {
	if !known {
		return "%s"
	}
	return text
}

func (s *source) formatOfCall(call *ast.CallExpr) (string, bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	text, ok := s.format(call.Args[0])
	switch pkg, _ := f.X.(*ast.Ident); {
	case !ok || pkg == nil:
		return "", false
	case pkg.Name == "fmt" && (f.Sel.Name == "Errorf" || f.Sel.Name == "Sprintf"):
		return strings.ReplaceAll(text, "%%", "%"), true
	default:
		return text, pkg.Name == "errors" && f.Sel.Name == "New"
	}
}

// writers are the functions of the package that are given a format and its arguments, or
// a problem, by name, with the place of that among the arguments.
func (s *source) writers() map[string]int {
	out := map[string]int{}
	for _, f := range s.parsed {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if at := formatAt(fn.Type.Params); at >= 0 {
					out[fn.Name.Name] = at
				}
			}
		}
	}
	return out
}

func formatAt(params *ast.FieldList) int {
	at := 0
	for _, p := range params.List {
		for _, name := range p.Names {
			if name.Name == "format" || name.Name == "problem" {
				return at
			}
			at++
		}
	}
	return -1
}

// A sentence is a format that somebody may read, and where it is written.
type sentence struct {
	format, file string
	line         int
}

// sentences are those of the package:
//
//   - the Problem of a struct, and what is assigned to a variable problem;
//   - the format of a call to one of writers;
//   - what errors.New and fmt.Errorf are given;
//   - in the files of texts, every text of two words or more.
func (s *source) sentences(writers map[string]int, texts ...string) []sentence {
	var out []sentence
	add := func(e ast.Expr, isFormat bool) bool {
		format, ok := s.format(e)
		if isFormat {
			format = strings.ReplaceAll(format, "%%", "%")
		}
		if ok = ok && saysSomething(format); ok {
			p := s.files.Position(e.Pos())
			out = append(out, sentence{format, filepath.ToSlash(p.Filename), p.Line})
		}
		return ok
	}
	for _, name := range slices.Sorted(maps.Keys(s.parsed)) {
		file, all := s.parsed[name], slices.Contains(texts, name)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec, *ast.StructType:
				return false
			case *ast.GenDecl:
				return n.Tok != token.CONST || !slices.Contains(file.Decls, ast.Decl(n)) // they count where they are used
			case *ast.KeyValueExpr:
				if key, _ := n.Key.(*ast.Ident); key != nil && key.Name == "Problem" {
					return !add(n.Value, false)
				}
			case *ast.AssignStmt:
				if all && n.Tok == token.ADD_ASSIGN {
					return !add(&ast.BinaryExpr{X: n.Lhs[0], Op: token.ADD, Y: n.Rhs[0]}, false)
				}
				if to, ok := n.Lhs[0].(*ast.Ident); ok && to.Name == "problem" {
					return !add(n.Rhs[0], false)
				}
			case *ast.CallExpr:
				if at, ok := writers[called(n)]; ok && at < len(n.Args) && add(n.Args[at], true) {
					return false
				}
				if pkg, ok := n.Fun.(*ast.SelectorExpr); ok && (pkg.Sel.Name == "New" || pkg.Sel.Name == "Errorf") && add(n, false) {
					return false
				}
			}
			e, ok := n.(ast.Expr)
			return !ok || !all || !add(e, false)
		})
	}
	return out
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

var verbs = regexp.MustCompile(`%[-+# 0-9.\[\]]*[a-zA-Z%]`)

// saysSomething reports whether there are two words or more, verbs among them, and a
// letter beside the verbs: anything less is a name, or joins texts that have their own words.
func saysSomething(format string) bool {
	format = strings.ReplaceAll(format, "%%", "%")
	return len(strings.Fields(format)) > 1 && strings.ContainsFunc(verbs.ReplaceAllString(format, ""), func(r rune) bool { return r >= 'A' })
}
