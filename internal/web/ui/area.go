package ui

import (
	"net/url"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// An Area is an entry of the navigation. The text "area_<Key>" is its name.
type Area struct {
	Key  string
	Path string // may hold {tenant} and {user}: then it is a tenant's
	Need Need
}

// order is that of the navigation.
func order() []string {
	return []string{"overview", "mails", "problems", "accounts", "account", "branding", "settings", "tenants", "approvals", "queues", "metrics", "system"}
}

// AddArea puts an entry into the navigation of those who may take it.
func (u *UI) AddArea(a Area) {
	u.areas = append(u.areas, a)
	keys := order()
	slices.SortStableFunc(u.areas, func(a, b Area) int { return slices.Index(keys, a.Key) - slices.Index(keys, b.Key) })
}

func (a Area) ofTenant() bool { return strings.Contains(a.Path, "{tenant}") }

// open reports whether a person may take the entry; tenant is whose pages they see.
func (a Area) open(p signin.Person, tenant string) bool {
	switch a.Need {
	case Operator:
		return p.Operator()
	case Reader:
		return p.MayRead(tenant)
	case Admin:
		return p.MayManage(tenant)
	case Owner:
		return p.User != "" && p.MayOwn(tenant, p.User)
	}
	return true
}

func (a Area) path(p signin.Person, tenant string) string {
	return strings.NewReplacer("{tenant}", url.PathEscape(TenantParameter(tenant)), "{user}", url.PathEscape(p.User)).Replace(a.Path)
}

// An Entry is what a person sees of an Area.
type Entry struct {
	Text    string
	URL     string
	Current bool
}

// entries are a person's, of a tenant's pages or of the others.
func (v view) entries(ofTenant bool, tenant string) []Entry {
	var out []Entry
	for _, a := range v.ui.areas {
		if a.ofTenant() == ofTenant && a.open(v.Person, tenant) {
			out = append(out, Entry{
				v.text("area_" + a.Key), v.ui.URL(a.path(v.Person, tenant)), a.Key == v.Area && ofTenant == v.TenantSet,
			})
		}
	}
	return out
}
