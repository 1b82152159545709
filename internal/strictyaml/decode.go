package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Document is a file that is being read: where its keys stand, and what is
// wrong with it.
type Document struct {
	file  string
	root  *yaml.Node
	lines map[string]int // by key; values that are empty are not there
	errs  []*Error
}

// New begins a document; file is for the errors.
func New(file string) *Document {
	return &Document{file: file, lines: map[string]int{}}
}

// Decode reads the only document in b into a struct. What is wrong is in Err.
func (d *Document) Decode(b []byte, into any) {
	d.Read(b)
	d.Fill(into)
}

// Read parses the only document in b, for Fill.
func (d *Document) Read(b []byte) { d.root = d.parse(b) }

// Fill puts what Read has parsed into a struct.
func (d *Document) Fill(into any) {
	if d.root != nil {
		d.value("", d.root, into)
	}
}

// Keys are those at the top of what Read has parsed.
func (d *Document) Keys() []string {
	var keys []string
	if d.root != nil && d.root.Kind == yaml.MappingNode {
		for i := 0; i < len(d.root.Content); i += 2 {
			keys = append(keys, d.root.Content[i].Value)
		}
	}
	return keys
}

// Bound refuses what Read has parsed if it has more keys and list items than most,
// all levels together: nothing of it is filled in then.
func (d *Document) Bound(most int) {
	if d.root != nil && entries(d.root) > most {
		d.failAt(0, "", "has more than %d keys and list items", most)
		d.root = nil
	}
}

// entries counts what stands in mappings and lists. The parser bounds the depth.
func entries(n *yaml.Node) int {
	count := 0
	switch n.Kind {
	case yaml.MappingNode:
		count = len(n.Content) / 2
	case yaml.SequenceNode:
		count = len(n.Content)
	}
	for _, c := range n.Content {
		count += entries(c)
	}
	return count
}

// Has reports whether a key was written with a value.
func (d *Document) Has(key string) bool { return d.lines[key] > 0 }

// Line is the line of "account.central_sender.address", or of what holds it; 0
// if that is unknown too.
func (d *Document) Line(key string) int {
	for {
		if line, ok := d.lines[key]; ok {
			return line
		}
		at := strings.LastIndexAny(key, ".[")
		if at < 0 {
			return 0
		}
		key = key[:at]
	}
}

// Fail notes a problem with a key.
func (d *Document) Fail(key, format string, args ...any) { d.failAt(d.Line(key), key, format, args...) }

// Failed reports whether there is a problem with a key or below it.
func (d *Document) Failed(key string) bool {
	return slices.ContainsFunc(d.errs, func(e *Error) bool {
		rest, below := strings.CutPrefix(e.Key, key)
		return key == "" || below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// maxShown is the most problems that are told at a time: nobody mends more.
const maxShown = 30

// Err joins one *Error per problem, in the order of their lines, and one that counts
// those beyond the first 30; nil if there is none.
func (d *Document) Err() error {
	sorted := slices.Clone(d.errs)
	slices.SortStableFunc(sorted, ByLine)
	var errs []error
	for _, e := range sorted[:min(len(sorted), maxShown)] {
		errs = append(errs, e)
	}
	if more := len(sorted) - maxShown; more > 0 {
		errs = append(errs, &Error{File: d.file, Problem: fmt.Sprintf("and %d more problems", more)})
	}
	return errors.Join(errs...)
}

// ByLine compares problems of one file by where they stand.
func ByLine(a, b *Error) int {
	unknownLast := func(line int) uint { return uint(line) - 1 }
	return cmp.Or(cmp.Compare(unknownLast(a.Line), unknownLast(b.Line)), cmp.Compare(a.Key, b.Key))
}

// File is the name for messages.
func (d *Document) File() string { return d.file }

func (d *Document) failAt(line int, key, format string, args ...any) {
	d.errs = append(d.errs, &Error{File: d.file, Line: line, Key: key, Problem: fmt.Sprintf(format, args...)})
}

// parse is the only document; nil after an error.
func (d *Document) parse(b []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		d.syntax(b, err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || isNull(doc.Content[0]) {
		d.failAt(0, "", "is empty")
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		d.failAt(second.Line, "", "holds a second document after ---")
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
func (d *Document) syntax(b []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if p := yamlAnchor.FindStringSubmatch(text); p != nil {
		line := 0
		if at := bytes.Index(b, []byte("*"+p[1])); at >= 0 {
			line = 1 + bytes.Count(b[:at], []byte("\n"))
		}
		d.failAt(line, "", "a value that begins with * must stand in quotes")
		return
	}
	line := 0
	if p := yamlLine.FindStringSubmatch(text); p != nil {
		line, _ = strconv.Atoi(p[1])
		text = strings.TrimPrefix(strings.TrimPrefix(text, p[0]), ": ")
	}
	d.failAt(line, "", "is no YAML: %s", quoted.ReplaceAllString(text, "…"))
}

// each walks a mapping in the order of the file.
func (d *Document) each(key string, n *yaml.Node, do func(name, path string, line int, value *yaml.Node)) {
	if isNull(n) || !d.plain(key, n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.failAt(n.Line, key, "must be a mapping of keys to values")
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		path := Path(key, k.Value)
		switch {
		case k.Kind != yaml.ScalarNode || k.Anchor != "":
			d.failAt(k.Line, key, "has a key that is no plain text")
		case seen[k.Value]:
			d.failAt(k.Line, path, "stands here twice")
		default:
			seen[k.Value] = true
			do(k.Value, path, k.Line, v)
		}
	}
}

// Path is the key of name within a mapping.
func Path(key, name string) string {
	// Readable in an error, whatever stands there.
	if q := strconv.Quote(name); name == "" || len(q) != len(name)+2 || len(name) > 64 {
		name = strings.ToValidUTF8(q[:min(len(q), 66)], "")
	}
	if key == "" {
		return name
	}
	return key + "." + name
}

func (d *Document) plain(key string, n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.failAt(n.Line, key, "anchors and aliases (& and *) are not supported: write the value out, in quotes if it begins so")
		return false
	}
	return true
}

func (d *Document) unknown(line int, path string, known []string) {
	slices.Sort(known)
	d.failAt(line, path, "unknown key; known here are %s", strings.Join(known, ", "))
}
