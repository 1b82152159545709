package configs

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileVariable names the configuration file.
const fileVariable = "ROHRPOST_CONFIG"

// An Override is a setting from a flag: it wins over file and environment.
type Override struct {
	Key   string // as in the file: "redis.url"
	Value string // as in the file: "1m", "25MiB", "true"
}

// Load puts the configuration together: defaults, the YAML file at path, the
// ROHRPOST_… variables of environ (os.Environ()), then the overrides, the last
// one wins. An empty path stands for ROHRPOST_CONFIG, and for no file if that is
// empty too. Files with secrets are read. The error joins everything that is
// wrong, one problem a line.
func Load(path string, environ []string, overrides ...Override) (Config, error) {
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, fileVariable+"="); ok && path == "" {
			path = value
		}
	}
	l := newLoader()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("configuration: %w", err)
		}
		l.file(path, text)
	}
	l.environment(environ)
	for _, o := range overrides {
		l.set(layerFlag, "flag", o.Key, o.Value)
	}
	l.relative(filepath.Dir(path))
	l.readSecrets()
	l.derive()
	for _, p := range slices.DeleteFunc(l.config.problems(), l.spoiled) {
		l.fail(p.key, p.text)
	}
	if err := errors.Join(l.errs...); err != nil {
		return Config{}, err
	}
	return l.config, nil
}

// layer says which of the four named a setting. Of a secret and its _file twin
// the one from the higher layer counts.
type layer int

const (
	layerDefault layer = iota
	layerFile
	layerEnvironment
	layerFlag
)

type origin struct {
	layer layer
	place string // "rohrpost.yaml:12", "ROHRPOST_REDIS_URL", "flag"
}

type loader struct {
	config  Config
	fields  map[string]field
	origins map[string]origin
	failed  map[string]bool // keys with a problem
	errs    []error
}

func newLoader() *loader {
	l := &loader{config: Default(), origins: map[string]origin{}, failed: map[string]bool{}}
	l.fields = fields(&l.config)
	return l
}

// fail adds a problem of a key, with the place where the key was set.
func (l *loader) fail(key, text string) {
	l.failed[key] = true
	for k := key; k != ""; k = parent(k) {
		if o, ok := l.origins[k]; ok {
			key += " (" + o.place + ")"
			break
		}
	}
	l.errs = append(l.errs, fmt.Errorf("%s: %s", key, text))
}

// set assigns a setting that is written as text.
func (l *loader) set(from layer, place, key, value string) {
	f, ok := l.fields[key]
	if !ok {
		l.unknown(place, key)
		return
	}
	l.origins[key] = origin{from, place}
	if f.isRecords() {
		l.recordsText(from, place, key, value)
		return
	}
	if err := f.assign(value); err != nil {
		l.fail(key, err.Error())
	}
}

// spoiled reports whether a problem may come of one that is known: what could not be
// read has its default still, and of a record perhaps nothing.
func (l *loader) spoiled(p problem) bool {
	record := func(key string) string {
		if end := strings.IndexByte(key, ']'); end >= 0 {
			return key[:end+1]
		}
		return key
	}
	for key := range l.failed {
		if record(p.key) == record(key) || strings.HasPrefix(p.key, key+".") || strings.HasPrefix(p.key, key+"[") {
			return true
		}
	}
	return false
}

func (l *loader) unknown(place, key string) {
	l.failed[key] = true
	known := slices.Collect(maps.Keys(l.fields))
	for key := range l.fields {
		known = append(known, parent(key))
	}
	l.errs = append(l.errs, fmt.Errorf("%s: unknown key %s%s", place, key, nearest(key, known)))
}

// relative anchors the paths of the file, and those nobody set, in the folder
// of the file.
func (l *loader) relative(dir string) {
	for key, f := range l.fields {
		if p, ok := f.pointer().(*Path); ok && l.origins[key].layer <= layerFile && *p != "" && !filepath.IsAbs(string(*p)) {
			*p = Path(filepath.Join(dir, string(*p)))
		}
	}
}
