package strictyaml

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A ScalarUnmarshaler is a struct that may also be written as one text, as
// "Name <address>" in place of {name, address}. Its error is shown.
type ScalarUnmarshaler interface{ UnmarshalScalar(text string) error }

// value reads a node into what into points to.
func (d *Document) value(key string, n *yaml.Node, into any) {
	d.fill(key, n, reflect.ValueOf(into).Elem())
}

func (d *Document) fill(key string, n *yaml.Node, v reflect.Value) {
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		d.text(key, n, func(text string) error { return u.UnmarshalText([]byte(text)) })
		return
	}
	if u, ok := reflect.TypeAssert[ScalarUnmarshaler](v.Addr()); ok && n.Kind == yaml.ScalarNode {
		d.text(key, n, u.UnmarshalScalar)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.fill(key, n, v.Elem())
	case reflect.Struct:
		d.mapping(key, n, v)
	case reflect.Map:
		d.entries(key, n, v)
	case reflect.Slice:
		d.list(key, n, v)
	case reflect.String:
		d.text(key, n, func(text string) error { v.SetString(text); return nil })
	case reflect.Bool:
		d.scalar(key, n, v, "!!bool", "must be true or false")
	case reflect.Int, reflect.Int64:
		d.scalar(key, n, v, "!!int", "must be a whole number")
	default:
		panic(fmt.Sprintf("strictyaml: %s: a %s cannot be read", key, v.Type()))
	}
}

// mapping reads the keys of a struct. An empty value is as if the key were not
// there.
func (d *Document) mapping(key string, n *yaml.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	collect(v, fields)
	d.each(key, n, func(name, path string, line int, value *yaml.Node) {
		field, ok := fields[name]
		if !ok {
			d.unknown(line, path, slices.Collect(maps.Keys(fields)))
			return
		}
		if !isNull(value) {
			d.lines[path] = value.Line
			d.fill(path, value, field)
		}
	})
}

// collect is the fields by their json names, those of embedded structs included.
func collect(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			collect(v.Field(i), into)
		case name != "-" && name != "":
			into[name] = v.Field(i)
		}
	}
}

// entries reads a mapping of ids to pointers of structs. An id without a value
// is there, and empty.
func (d *Document) entries(key string, n *yaml.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.each(key, n, func(name, path string, _ int, value *yaml.Node) {
		d.lines[path] = value.Line
		entry := reflect.New(v.Type().Elem().Elem())
		v.SetMapIndex(reflect.ValueOf(name), entry)
		d.fill(path, value, entry.Elem())
	})
}

func (d *Document) list(key string, n *yaml.Node, v reflect.Value) {
	if !d.plain(key, n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.failAt(n.Line, key, "must be a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		path := fmt.Sprintf("%s[%d]", key, i)
		d.lines[path] = item.Line
		d.fill(path, item, v.Index(i))
	}
}

// text is any scalar as it is written: a password may look like a number.
func (d *Document) text(key string, n *yaml.Node, take func(string) error) {
	if !d.plain(key, n) {
		return
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		if err := take(n.Value); err != nil {
			d.failAt(n.Line, key, "%v", err)
		}
	default:
		d.failAt(n.Line, key, "must be a text")
	}
}

func (d *Document) scalar(key string, n *yaml.Node, v reflect.Value, tag, problem string) {
	if !d.plain(key, n) {
		return
	}
	if n.ShortTag() != tag || n.Decode(v.Addr().Interface()) != nil {
		d.failAt(n.Line, key, "%s", problem)
	}
}
