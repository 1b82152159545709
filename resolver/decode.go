package resolver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A LineError is a problem at one line of an accounts file. It never shows a
// value that could be a password.
type LineError struct {
	File    string
	Line    int    // from 1; 0: unknown
	Key     string // as "tenants.acme.account.smtp.port"; empty: the file
	Problem string
}

// Error is "accounts.yaml:12: tenants.acme.account.smtp.port: problem".
func (e *LineError) Error() string {
	s := e.File + ":"
	if e.Line > 0 {
		s += strconv.Itoa(e.Line) + ":"
	}
	if e.Key != "" {
		s += " " + e.Key + ":"
	}
	return s + " " + e.Problem
}

// A decoder walks a YAML document and notes every problem with its line. It is
// stricter than yaml.Unmarshal: unknown and repeated keys, wrong kinds, anchors
// and further documents are errors.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) fail(line int, key, format string, args ...any) {
	d.errs = append(d.errs, &LineError{File: d.file, Line: line, Key: key, Problem: fmt.Sprintf(format, args...)})
}

// root is the only document; nil after an error.
func (d *decoder) root(b []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		d.syntax(b, err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || isNull(doc.Content[0]) {
		d.fail(0, "", "is empty: it needs at least the platform's account")
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		d.fail(second.Line, "", "holds a second document after ---")
		return nil
	}
	return doc.Content[0]
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Anchor == "" && n.ShortTag() == "!!null"
}

var (
	yamlLine   = regexp.MustCompile(`line (\d+)`)
	yamlAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
	quoted     = regexp.MustCompile(`'[^']*'|"[^"]*"|` + "`[^`]*`")
)

// syntax reports an error of the YAML library without the pieces of the file
// that it quotes: a password that begins with * is an anchor to it.
func (d *decoder) syntax(b []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if p := yamlAnchor.FindStringSubmatch(text); p != nil {
		line := 0
		if at := bytes.Index(b, []byte("*"+p[1])); at >= 0 {
			line = 1 + bytes.Count(b[:at], []byte("\n"))
		}
		d.fail(line, "", "a value that begins with * must stand in quotes")
		return
	}
	line := 0
	if p := yamlLine.FindStringSubmatch(text); p != nil {
		line, _ = strconv.Atoi(p[1])
		text = strings.TrimPrefix(strings.TrimPrefix(text, p[0]), ": ")
	}
	d.fail(line, "", "is no YAML: %s", quoted.ReplaceAllString(text, "…"))
}

// A field takes the value of one key.
type field func(key string, n *yaml.Node)

// mapping hands each value to its field. An empty value is as if the key were
// not there.
func (d *decoder) mapping(key string, n *yaml.Node, fields map[string]field) {
	d.each(key, n, func(name, path string, line int, value *yaml.Node) {
		take := fields[name]
		if take == nil {
			known := slices.Sorted(maps.Keys(fields))
			d.fail(line, path, "unknown key; known here are %s", strings.Join(known, ", "))
			return
		}
		if !isNull(value) {
			take(path, value)
		}
	})
}

// each walks a mapping in the order of the file.
func (d *decoder) each(key string, n *yaml.Node, do func(name, path string, line int, value *yaml.Node)) {
	if isNull(n) || !d.plain(key, n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fail(n.Line, key, "must be a mapping of keys to values")
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		path := cutKey(k.Value)
		if key != "" {
			path = key + "." + path
		}
		switch {
		case k.Kind != yaml.ScalarNode || k.Anchor != "":
			d.fail(k.Line, key, "has a key that is no plain text")
		case seen[k.Value]:
			d.fail(k.Line, path, "stands here twice")
		default:
			seen[k.Value] = true
			do(k.Value, path, k.Line, v)
		}
	}
}

// cutKey keeps a key readable in an error, whatever stands there.
func cutKey(s string) string {
	if q := strconv.Quote(s); s == "" || len(q) != len(s)+2 || len(s) > 64 {
		return q[:min(len(q), 66)]
	}
	return s
}

func (d *decoder) plain(key string, n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n.Line, key, "anchors and aliases (& and *) are not supported: write the value out, in quotes if it begins so")
		return false
	}
	return true
}

// text is any scalar as it is written: a password may look like a number.
func (d *decoder) text(into *string) field {
	return func(key string, n *yaml.Node) {
		if !d.plain(key, n) {
			return
		}
		switch n.ShortTag() {
		case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
			*into = n.Value
		default:
			d.fail(n.Line, key, "must be a text")
		}
	}
}

func (d *decoder) flag(into *bool) field {
	return func(key string, n *yaml.Node) {
		if !d.plain(key, n) {
			return
		}
		if n.ShortTag() != "!!bool" || n.Decode(into) != nil {
			d.fail(n.Line, key, "must be true or false")
		}
	}
}

func (d *decoder) number(into *int) field {
	return func(key string, n *yaml.Node) {
		if !d.plain(key, n) {
			return
		}
		if n.ShortTag() != "!!int" || n.Decode(into) != nil {
			d.fail(n.Line, key, "must be a whole number")
		}
	}
}

func (d *decoder) texts(into *[]string) field {
	return func(key string, n *yaml.Node) {
		if !d.plain(key, n) {
			return
		}
		if n.Kind != yaml.SequenceNode {
			d.fail(n.Line, key, "must be a list")
			return
		}
		*into = make([]string, len(n.Content))
		for i, item := range n.Content {
			d.text(&(*into)[i])(fmt.Sprintf("%s[%d]", key, i), item)
		}
	}
}
