package resolver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// settings are those of a tenant who wants to keep the program busy.
func settings() map[string]func(size int) string {
	all := map[string]func(int) string{
		"unknown keys": func(n int) string { return "{" + growthtest.Keys(n) + "}" },
		"lines": func(n int) string {
			return strings.NewReplacer(",", "\n", `"`, "", ":", ": ").Replace(growthtest.Keys(n))
		},
		"same key":     func(n int) string { return strings.Repeat("a: 1\n", n/5) },
		"deep":         func(n int) string { return strings.Repeat("{a: ", n/5) + strings.Repeat("}", n/5) },
		"deep lists":   func(n int) string { return strings.Repeat("[", n/2) + strings.Repeat("]", n/2) },
		"dashes":       func(n int) string { return strings.Repeat("- ", n/2) },
		"indented":     func(n int) string { return indented(n) },
		"anchors":      func(n int) string { return "a: &a [x]\n" + strings.Repeat("b: *a\n", n/6) },
		"questions":    func(n int) string { return strings.Repeat("? ", n/2) },
		"comments":     func(n int) string { return strings.Repeat("#\n", n/2) + "a: 1" },
		"keys' ends":   func(n int) string { return strings.Repeat(":\n", n/2) },
		"long text":    func(n int) string { return "name: |\n" + strings.Repeat("  x\n", n/4) },
		"quoted":       func(n int) string { return `name: "` + strings.Repeat(`\u2028`, n/6) + `"` },
		"open quote":   func(n int) string { return `name: "` + strings.Repeat("x\n", n/2) },
		"documents":    func(n int) string { return strings.Repeat("---\n", n/4) },
		"tags":         func(n int) string { return strings.Repeat("!!a ", n/4) },
		"aliases":      func(n int) string { return "aliases: [" + strings.Repeat("a@b.example, ", n/13) + "]" },
		"footer lines": func(n int) string { return "branding: {footer: {lines: [" + strings.Repeat("x, ", n/3) + "]}}" },
	}
	for _, s := range growthtest.Shapes() {
		all[s.Name] = s.Make
		all["name of "+s.Name] = func(n int) string { return "name: " + s.Make(n) }
	}
	return all
}

// indented is a key below a key below a key.
func indented(n int) string {
	var b strings.Builder
	for depth := 0; b.Len() < n; depth++ {
		b.WriteString(strings.Repeat(" ", depth) + "a:\n")
	}
	return b.String()
}

// TestEntriesAreLinear: settings cost as much as they are long, up to what is read.
func TestEntriesAreLinear(t *testing.T) {
	for name, text := range settings() {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 30<<10, func(size int) func() {
				b := []byte(text(size))
				return func() { _, _ = ParseEntry("settings", b, Tenant) }
			})
		})
	}
}

// TestEntryIsBounded: what is too much is one problem, and of many the first are told.
func TestEntryIsBounded(t *testing.T) {
	t.Parallel()
	logo := strings.Repeat("AAAA", 60<<10)
	for _, tt := range []struct{ name, text, want string }{
		{"keys", "{" + growthtest.Keys(20_000) + "}", "settings: has more than 500 keys and list items"},
		{"items", "aliases: [" + strings.Repeat("a@b.example, ", 600) + "]", "settings: has more than 500 keys and list items"},
		{"text", "name: " + strings.Repeat("ü", 40<<10), "settings: is larger than 64 KiB, a logo apart"},
		{"base64", "name: " + logo + logo + logo, "settings: is larger than 64 KiB, a logo apart"},
		{"problems", "{" + strings.Repeat(`x: 1, `, 100) + "}", "settings: and 70 more problems"},
	} {
		_, err := ParseEntry("settings", []byte(tt.text), Tenant)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 16<<10 {
			t.Errorf("%s: %.300v", tt.name, err)
		}
	}
	if _, err := ParseEntry("settings", fmt.Appendf(nil, "branding: {logo: %s}", logo), Tenant); err == nil || strings.Contains(err.Error(), "larger than") {
		t.Errorf("a logo: %.300v", err)
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range settings() {
		growthtest.Grow(b, name, func(b *testing.B, size int) {
			in := []byte(text(size))
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				_, _ = ParseEntry("settings", in, Tenant)
			}
		})
	}
}
