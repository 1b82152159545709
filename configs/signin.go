package configs

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/notice"
)

var (
	// A path of plain segments; what a proxy and a cookie understand alike.
	basePath = regexp.MustCompile(`^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$`)
	// A field name of HTTP, without what no header has (RFC 9110 §5.1).
	headerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
)

// checkPlace checks where browsers find the pages.
func (w *Web) checkPlace(p *problems) {
	p.add(w.BasePath != "" && w.PublicURL != "" && notice.CheckURL(w.PublicURL) == nil && pathOf(w.PublicURL) != w.BasePath, "web.base_path",
		"%q is not the path of web.public_url: leave one of them out", w.BasePath)
	p.add(w.BasePath != "" && !basePath.MatchString(w.BasePath), "web.base_path", "%q is no path: write /mail", w.BasePath)
	for _, origin := range w.EmbedOrigins {
		u, err := url.Parse(origin)
		p.add(err != nil || !secureOrigin(u) || origin != u.Scheme+"://"+u.Host, "web.embed_origins",
			"%q is no origin: write https://crm.example, without a path", origin)
	}
}

// secureOrigin reports whether what u names cannot be changed on its way.
func secureOrigin(u *url.URL) bool {
	return u.Host != "" && !strings.Contains(u.Host, "*") && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

// pathOf is the path of an address, without a slash at its end.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

func (w *Web) checkLinks(p *problems) {
	names := map[string]bool{}
	for i := range w.Links {
		link, key := &w.Links[i], fmt.Sprintf("web.links[%d]", i)
		p.add(link.Issuer == "", key+".issuer", "is empty: write the name that the application puts into the claim iss")
		p.add(strings.Contains(link.Issuer, ":") || link.Issuer == "oidc", key+".issuer", "%q names somebody else in the history: choose a name without colon, and not oidc", link.Issuer)
		p.add(names[link.Issuer], key+".issuer", "%q is there twice: keep one", link.Issuer)
		names[link.Issuer] = true
		err := adminlink.CheckKey(link.Secret, link.PublicKey)
		p.add(err != nil, key, "%v", err)
		for _, role := range link.Roles {
			p.oneOf(key+".roles", role, RoleAdmin, RoleReader, RoleUser)
		}
		p.add(link.Operators && len(link.Tenants) > 0, key+".operators", "is set beside tenants, and an operator sees all tenants: keep one of them")
	}
}

func (w *Web) checkForwardAuth(p *problems) {
	const key = "web.forward_auth"
	f := &w.ForwardAuth
	n := len(f.Secret.Reveal())
	if f.Header == "" {
		p.add(n > 0, key+".header", "is empty beside a secret: write X-Forwarded-User, or leave the secret out")
		return
	}
	p.add(!headerName.MatchString(f.Header) || strings.EqualFold(f.Header, "Authorization") || strings.EqualFold(f.Header, "Cookie"), key+".header",
		"%q is no header of a proxy: write X-Forwarded-User", f.Header)
	p.add(!headerName.MatchString(f.SecretHeader) || strings.EqualFold(f.Header, f.SecretHeader), key+".secret_header",
		"%q is no other header: write X-Forwarded-Secret", f.SecretHeader)
	p.add(n < minToken, key+".secret", "is %d characters long, which can be guessed: openssl rand -base64 32 prints a good one", n)
	p.add(len(w.TrustedProxies) == 0, "web.trusted_proxies", "is empty: name the proxy that sets %s", f.Header)
	p.add(len(w.Users) == 0, "web.users", "is empty: list those whom the proxy may name, with their roles")
}

func (w *Web) checkOIDC(p *problems) {
	const key = "web.oidc"
	o := &w.OIDC
	if o.Issuer == "" {
		p.add(o.ClientID != "" || !o.ClientSecret.IsZero() || len(o.Operators) > 0, key+".issuer", "is empty: write the URL of the provider, or leave web.oidc out")
		return
	}
	u, err := url.Parse(o.Issuer)
	p.add(err != nil || !secureOrigin(u), key+".issuer", "%q is no provider: write https://login.example", o.Issuer)
	p.add(o.ClientID == "", key+".client_id", "is empty: the provider gives one when rohrpost is registered there")
	p.add(len(o.Operators) == 0, key+".operators", "is empty: list the addresses of those who may come in")
	for i, address := range o.Operators {
		err := rohrpost.CheckAddress(address)
		p.add(err != nil, key+".operators", "%v", err)
		p.add(slices.ContainsFunc(o.Operators[:i], func(before string) bool { return strings.EqualFold(before, address) }), key+".operators", "%q is there twice: keep one", address)
	}
	p.add(w.PublicURL == "", "web.public_url", "is empty: the provider sends people back there, to web.public_url/oidc/callback")
}
