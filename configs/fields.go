package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A field is one setting: a leaf of Config.
type field struct{ value reflect.Value }

// fields are the settings of a configuration by their keys. A list of records, as
// web.users, is one field until it is read.
func fields(c *Config) map[string]field {
	out := map[string]field{}
	sections := reflect.ValueOf(c).Elem()
	for i := range sections.NumField() {
		key, f := tag(sections.Type().Field(i)), field{sections.Field(i)}
		if f.isRecords() {
			out[key] = f
			continue
		}
		addFields(out, key, f.value)
	}
	return out
}

func addFields(out map[string]field, prefix string, section reflect.Value) {
	for i := range section.NumField() {
		key, f := prefix+"."+tag(section.Type().Field(i)), field{section.Field(i)}
		if f.isSection() {
			addFields(out, key, f.value)
			continue
		}
		out[key] = f
	}
}

// isSection reports whether the field has keys of its own, as web.oidc.
func (f field) isSection() bool {
	_, isText := f.pointer().(encoding.TextUnmarshaler)
	return f.value.Kind() == reflect.Struct && !isText
}

// isRecords reports whether it is a list of what has keys, as web.users.
func (f field) isRecords() bool {
	t := f.value.Type()
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

func tag(f reflect.StructField) string { return f.Tag.Get("yaml") }

// parent of web.users[0].name is web.users[0], of that web.users, of that web.
func parent(key string) string {
	return key[:max(0, strings.LastIndexAny(key, ".["))]
}

func (f field) pointer() any { return f.value.Addr().Interface() }

// assign reads text into the field. A list is YAML: [{name: max, …}].
func (f field) assign(text string) error {
	switch p := f.pointer().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration: write 30s, 5m or 24h", text)
		}
		*p = d
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		*p = n
	case *float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		*p = x
	case *bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*p = text == "true"
	case *string:
		*p = text
	case *Path:
		*p = Path(text)
	}
	return nil
}
