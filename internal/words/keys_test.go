package words_test

import (
	"go/ast"
	"reflect"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
)

// settingKeys are the keys of everything that a person enters: the entry of an account as
// resolver declares it, the place it stands at, and the JSON form of a message.
func settingKeys(t *testing.T) []string {
	t.Helper()
	keys := []string{"tenant", "user", "account"}
	keys = append(keys, keysOf("", reflect.TypeFor[resolver.Entry]())...)
	for _, key := range jsonKeys(t) {
		if key != "user" && key != "tenant" {
			keys = append(keys, key)
		}
	}
	return keys
}

// keysOf are the keys of a struct and of those in it. The settings of an account stand
// without "account.", as errors name them.
func keysOf(prefix string, typ reflect.Type) []string {
	var keys []string
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		key := prefix + name
		if key != "account" {
			keys = append(keys, key)
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[resolver.Secret]() {
			keys = append(keys, keysOf(strings.TrimPrefix(key+".", "account."), inner)...)
		}
	}
	return keys
}

// jsonKeys are the keys of the JSON form of a message.
func jsonKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	ast.Inspect(read(t, ".").parsed["json.go"], func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Tag != nil {
			tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
			name, _, _ := strings.Cut(tag.Get("json"), ",")
			keys = append(keys, name)
		}
		return true
	})
	if len(keys) < 10 {
		t.Errorf("json.go has %d keys", len(keys))
	}
	return keys
}

// roles are those of configs, whose constants have no type of their own.
func roles(t *testing.T) []string {
	t.Helper()
	var out []string
	s := read(t, "configs")
	s.eachConst(func(name, _ string, value ast.Expr) {
		if text, ok := s.format(value); ok && strings.HasPrefix(name, "Role") {
			out = append(out, text)
		}
	})
	if len(out) == 0 {
		t.Error("configs has no roles")
	}
	return out
}

// changes are the actions that the store writes into an account's history: what its
// functions mark and change are given, and the Action of a Change.
func changes(t *testing.T) []string {
	t.Helper()
	s := read(t, "resolver/redisstore")
	var out []string
	add := func(e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			if e, ok := n.(*ast.BasicLit); ok {
				text, _ := s.format(e)
				out = append(out, text)
			}
			return true
		})
	}
	for _, f := range s.parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if name := called(n); (name == "mark" || name == "change") && len(n.Args) > 2 {
					add(n.Args[2])
				}
			case *ast.KeyValueExpr:
				if key, _ := n.Key.(*ast.Ident); key != nil && key.Name == "Action" {
					add(n.Value)
				}
			}
			return true
		})
	}
	return out
}
