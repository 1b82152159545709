package resolver

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Tenants are the ids of the file's tenants in the order of their bytes: at most n that
// begin with prefix and come after the id after, which is empty for the first ones.
func (f *File) Tenants(prefix, after string, n int) []string {
	return first(maps.Keys(f.now.Load().tenants), prefix, after, n)
}

// Users are the ids of a tenant's users, as Tenants.
func (f *File) Users(tenant, prefix, after string, n int) []string {
	t := f.now.Load().tenants[tenant]
	if t == nil {
		return nil
	}
	return first(maps.Keys(t.users), prefix, after, n)
}

// first are the n smallest names with a prefix, after one. It goes through all names once
// and sorts only few of them: a tenant may have 100,000 users, and pages ask often.
func first(names iter.Seq[string], prefix, after string, n int) []string {
	var few []string
	for name := range names {
		if !strings.HasPrefix(name, prefix) || after != "" && name <= after {
			continue
		}
		if few = append(few, name); len(few) >= 8*n+64 {
			slices.Sort(few)
			few = few[:n]
		}
	}
	slices.Sort(few)
	return few[:min(n, len(few))]
}
