package ui

import "testing"

func FuzzTenantParameter(f *testing.F) {
	f.Add("")
	f.Add("@platform")
	f.Add("@@")
	f.Fuzz(func(t *testing.T, tenant string) {
		if got := ParseTenant(TenantParameter(tenant)); got != tenant {
			t.Errorf("%q came back as %q", tenant, got)
		}
		if TenantParameter(tenant) == "" {
			t.Errorf("%q means all tenants", tenant)
		}
	})
}
