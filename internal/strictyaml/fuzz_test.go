package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// checkErrors wants errors of one line each, at lines that there are.
func checkErrors(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		line, ok := errors.AsType[*strictyaml.Error](e)
		if !ok || strings.ContainsFunc(e.Error(), unicode.IsControl) || line.Line < 0 || line.Line > len(text)+1 || line.Problem == "" {
			t.Errorf("error %q of %q", e, text)
		}
	}
}

// FuzzDecode: whatever stands in a document, there is no panic.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"text: x\nflag: true\nmaybe: false\nnumber: 1\nlarge: 2\nsecret: y\ninner: z\n",
		"person: Max Muster\nother: {first: Max}\ntexts: [a]\npeople: [Max Muster, {last: M}]\nby_id: {a: {number: 1}}\ndeep: {a: {items: {b: {}}}}",
		"a: &x [*x, *x]\nb: *x",
		"? [a]\n: b\n---\n...",
		"%YAML 9.9\n--- !t &a\ntext: null",
		"{<<: {text: x}, secret: !!binary Y2FuYXJ5, \"a\\nb\": 1}",
		"text:\n\tx: 1\r\n\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, d := decode(text)
		checkErrors(t, text, d.Err())
	})
}

// FuzzSecret: whatever stands around a secret in its line, no error shows it.
func FuzzSecret(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"'", ""},
		{"'", "'"},
		{`"\`, ``},
		{"*", ""},
		{"&", " x"},
		{"!", ""},
		{"!!int ", ""},
		{"[", "]"},
		{"[", ""},
		{"|", ""},
		{"> ", ""},
		{"{", "}"},
		{"{a: ", "}"},
		{"%", ""},
		{"@", ""},
		{"`", "`"},
		{"#", ""},
		{"- ", ""},
		{"? ", ""},
		{": ", ": "},
		{"x: ", ""},
		{"\x00", ""},
		{"\xff", ""},
		{"\t", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.ContainsAny(before+after, "\r\n\u0085\u2028\u2029") {
			return // another line can have other keys, and keys are shown
		}
		for _, key := range []string{"secret", "number", "flag", "texts", "by_id", "person"} {
			text := "text: x\n" + key + ": " + before + "canary" + after + "\nlarge: 1\n"
			_, d := decode(text)
			err := d.Err()
			checkErrors(t, text, err)
			mapping := key == "by_id" || key == "person" || key == "texts" // in which it may be a key
			if err != nil && !mapping && strings.Contains(err.Error(), "canary") {
				t.Errorf("error %q of %q", err, text)
			}
		}
	})
}
