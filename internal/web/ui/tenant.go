package ui

import (
	"net/http"
	"net/url"
	"strings"
)

// platform is how an address names the platform's own mails. A tenant whose name
// begins with @ has it doubled.
const platform = "@platform"

// TenantParameter names a tenant in an address; "" is the platform.
func TenantParameter(tenant string) string {
	switch {
	case tenant == "":
		return platform
	case tenant[0] == '@':
		return "@" + tenant
	}
	return tenant
}

// ParseTenant is the tenant that TenantParameter has named.
func ParseTenant(parameter string) string {
	if parameter == platform {
		return ""
	}
	if strings.HasPrefix(parameter, "@@") {
		return parameter[1:]
	}
	return parameter
}

// TenantOf is the tenant in the {tenant} of a request's pattern. It is not ok if the
// pattern has none.
func TenantOf(r *http.Request) (tenant string, ok bool) {
	parameter := r.PathValue("tenant")
	return ParseTenant(parameter), parameter != ""
}

// TenantPath is the path of a tenant's page: rest is "/mails".
func TenantPath(tenant, rest string) string {
	return "/t/" + url.PathEscape(TenantParameter(tenant)) + rest
}
