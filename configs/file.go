package configs

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file reads the YAML text of the file called name.
func (l *loader) file(name string, text []byte) {
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	var document, second yaml.Node
	err := dec.Decode(&document)
	if errors.Is(err, io.EOF) { // empty, or comments only
		return
	}
	if err == nil && !errors.Is(dec.Decode(&second), io.EOF) {
		err = errors.New("a second YAML document: keep one")
	}
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: ")))
		return
	}
	r := yamlReader{l, layerFile, func(line int) string { return fmt.Sprintf("%s:%d", name, line) }}
	r.mapping("", document.Content[0])
}

// recordsText reads a list of records from the environment or a flag.
func (l *loader) recordsText(from layer, place, key, text string) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document.Content) != 1 {
		l.fail(key, "cannot be read: write "+l.example(key))
		return
	}
	yamlReader{l, from, func(int) string { return place }}.records(key, document.Content[0])
}

// example is a list with one record, by the keys that it begins with.
func (l *loader) example(key string) string {
	record := l.fields[key].value.Type().Elem()
	return fmt.Sprintf("[{%s: …, %s: …}]", tag(record.Field(0)), tag(record.Field(1)))
}

// A yamlReader walks YAML nodes and sets what it finds. It walks them itself
// because yaml's own decoding takes "first: 60" for 60 ns, and knows no key
// that is near an unknown one.
type yamlReader struct {
	*loader
	layer layer
	place func(line int) string
}

// mapping reads the keys of the section prefix, "" for the whole file.
func (r yamlReader) mapping(prefix string, node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		r.problem(node, prefix, "must hold keys, as in rohrpost.yaml")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if seen[name.Value] {
			r.problem(name, prefix+name.Value, "is written twice: keep one")
		}
		seen[name.Value] = true
		r.entry(prefix+name.Value, name, value)
	}
}

func (r yamlReader) entry(key string, name, value *yaml.Node) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	f, isField := r.fields[key]
	isSection := r.hasSection(key)
	switch {
	case !isField && !isSection:
		r.unknown(r.place(name.Line), key)
	case value.Tag == "!!null": // "key:" with nothing behind it leaves the default
	case isField && f.isRecords():
		r.origins[key] = origin{r.layer, r.place(name.Line)}
		r.records(key, value)
	case isSection:
		r.mapping(key+".", value)
	case value.Kind == yaml.SequenceNode && r.isList(key):
		r.set(r.layer, r.place(name.Line), key, r.joined(value))
	case value.Kind != yaml.ScalarNode:
		r.problem(name, key, "must be a single value")
	default:
		r.set(r.layer, r.place(name.Line), key, value.Value)
	}
}

// records reads a list of records, in place of the one that was there.
func (r yamlReader) records(key string, node *yaml.Node) {
	if node.Kind != yaml.SequenceNode {
		r.problem(node, key, "must be a list: "+r.example(key))
		return
	}
	for known := range r.fields {
		if strings.HasPrefix(known, key+"[") {
			delete(r.fields, known)
			delete(r.origins, known)
		}
	}
	list := r.fields[key].value
	list.Set(reflect.MakeSlice(list.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		record := fmt.Sprintf("%s[%d]", key, i)
		addFields(r.fields, record, list.Index(i))
		r.origins[record] = origin{r.layer, r.place(item.Line)}
		r.mapping(record+".", item)
	}
}

func (r yamlReader) isList(key string) bool {
	_, ok := r.fields[key].pointer().(*List)
	return ok
}

// joined is a list as an environment variable has it.
func (r yamlReader) joined(node *yaml.Node) string {
	items := make([]string, len(node.Content))
	for i, item := range node.Content {
		items[i] = item.Value
	}
	return strings.Join(items, ",")
}

func (r yamlReader) hasSection(key string) bool {
	for known := range r.fields {
		if strings.HasPrefix(known, key+".") {
			return true
		}
	}
	return false
}

func (r yamlReader) problem(node *yaml.Node, key, text string) {
	key = strings.TrimSuffix(key, ".")
	r.failed[key] = true
	if key != "" {
		key = ": " + key
	}
	r.errs = append(r.errs, fmt.Errorf("%s%s %s", r.place(node.Line), key, text))
}
