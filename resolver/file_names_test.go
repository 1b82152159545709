package resolver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFileNames goes through the names of a file in pages.
func TestFileNames(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	var tenants, users []string
	for i := range 300 {
		tenants = append(tenants, fmt.Sprintf("t%d", i))
		fmt.Fprintf(&text, "  t%d:\n    users:\n", i)
		for k := range 2 + i%2*200 {
			fmt.Fprintf(&text, "      u%d: {first_name: Max}\n", k)
			if i == 1 {
				users = append(users, fmt.Sprintf("u%d", k))
			}
		}
	}
	slices.Sort(tenants)
	slices.Sort(users)
	f := load(t, "tenants:\n"+text.String())
	for _, n := range []int{1, 7, 1000} {
		for what, tt := range map[string]struct {
			want []string
			ask  func(after string) []string
		}{
			"tenants":         {tenants, func(after string) []string { return f.Tenants("t", after, n) }},
			"users":           {users, func(after string) []string { return f.Users("t1", "", after, n) }},
			"users of nobody": {nil, func(after string) []string { return f.Users("nobody", "", after, n) }},
			"others":          {nil, func(after string) []string { return f.Tenants("x", after, n) }},
		} {
			var got []string
			for page := tt.ask(""); len(page) > 0; page = tt.ask(got[len(got)-1]) {
				if len(page) > n {
					t.Fatalf("%s: %d names, want %d", what, len(page), n)
				}
				got = append(got, page...)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, %d at a time (-want +got):\n%s", what, n, diff)
			}
		}
	}
}
