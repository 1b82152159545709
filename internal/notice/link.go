package notice

import (
	"errors"
	"net/url"
	"strings"

	"github.com/rohrpost/rohrpost/resolver"
)

// CheckURL says what is wrong with the address at which people reach the pages.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errors.New("is no absolute http or https URL: write https://mail.example.com, with the path before the pages if there is one")
	case u.User != nil:
		return errors.New("must not hold a user name or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return errors.New("must end before ? and #")
	}
	return nil
}

// page is the path of the page of an account.
func page(p resolver.Place) string {
	switch p.Level() {
	case resolver.Tenant:
		return list(p.Tenant) + "/tenant"
	case resolver.User:
		return list(p.Tenant) + "/user/" + url.PathEscape(p.User)
	}
	return "/system/account"
}

// list is the path of the page with a tenant's accounts; for the platform, of the page
// that tells how the system stands.
func list(tenant string) string {
	if tenant == "" {
		return "/system"
	}
	if strings.HasPrefix(tenant, "@") { // @platform is no tenant
		tenant = "@" + tenant
	}
	return "/t/" + url.PathEscape(tenant) + "/accounts"
}

// link is the address of a page; empty: people must look for it themselves.
func (n *Notifier) link(path string) string {
	if n.options.PublicURL == "" {
		return ""
	}
	return strings.TrimRight(n.options.PublicURL, "/") + path
}
