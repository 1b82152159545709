package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
)

const (
	linkSecret = "hunter2hunter2hunter2hunter2hunt"
	linkKey    = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"
)

// signIn is a configuration with every way in.
func signIn(passwordHash string) Config {
	c := Default()
	c.Web.PublicURL, c.Web.BasePath = "https://crm.example/mail", "/mail"
	c.Web.EmbedOrigins = List{"https://crm.example", "http://localhost:3000"}
	c.Web.TrustedProxies = List{"127.0.0.1"}
	c.Web.Users = []User{
		{Name: "olga", PasswordBcrypt: secret.New(passwordHash), Role: RoleOperator}, {Name: "eva", Role: RoleUser, Tenant: "acme", User: "eva"},
	}
	c.Web.Links = []Link{
		{Issuer: "crm", Secret: secret.New(linkSecret), Operators: true}, {Issuer: "shop", PublicKey: linkKey, Tenants: List{"acme"}, Roles: List{RoleUser}},
	}
	c.Web.ForwardAuth.Header, c.Web.ForwardAuth.Secret = "X-Forwarded-User", secret.New("hunter2hunter2hunter2")
	c.Web.OIDC = OIDC{Issuer: "https://login.example/realm", ClientID: "rohrpost", ClientSecret: secret.New("hunter2"), Operators: List{"olga@platform.example"}}
	return c
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Web)
		want   string // "": valid
	}{
		"everything":                {func(*Web) {}, ""},
		"links instead of users":    {func(w *Web) { w.Addr, w.Users, w.OIDC, w.ForwardAuth = ":8080", nil, OIDC{}, ForwardAuth{} }, ""},
		"oidc instead of users":     {func(w *Web) { w.Addr, w.Users, w.Links, w.ForwardAuth = ":8080", nil, nil, ForwardAuth{} }, ""},
		"no url":                    {func(w *Web) { w.PublicURL = "" }, "web.public_url: is empty"},
		"no scheme":                 {func(w *Web) { w.PublicURL = "crm.example/mail" }, "web.public_url: is no absolute"},
		"a slash at the end":        {func(w *Web) { w.PublicURL += "/" }, ""},
		"another path":              {func(w *Web) { w.BasePath = "/post" }, `web.base_path: "/post" is not the path of web.public_url`},
		"a path without slash":      {func(w *Web) { w.PublicURL, w.OIDC, w.BasePath = "", OIDC{}, "mail" }, "web.base_path"},
		"a path with slash":         {func(w *Web) { w.PublicURL, w.OIDC, w.BasePath = "", OIDC{}, "/mail/" }, "web.base_path"},
		"a path upwards":            {func(w *Web) { w.PublicURL, w.OIDC, w.BasePath = "", OIDC{}, "/mail/.." }, "web.base_path"},
		"a header in the path":      {func(w *Web) { w.PublicURL, w.OIDC, w.BasePath = "", OIDC{}, "/m;x\r\nA: b" }, "web.base_path"},
		"all origins":               {func(w *Web) { w.EmbedOrigins = List{"*"} }, "web.embed_origins"},
		"all of a domain":           {func(w *Web) { w.EmbedOrigins = List{"https://*.example"} }, "web.embed_origins"},
		"an origin with a path":     {func(w *Web) { w.EmbedOrigins = List{"https://crm.example/"} }, "web.embed_origins"},
		"an origin without TLS":     {func(w *Web) { w.EmbedOrigins = List{"http://crm.example"} }, "web.embed_origins"},
		"a policy as origin":        {func(w *Web) { w.EmbedOrigins = List{"https://a.example; script-src *"} }, "web.embed_origins"},
		"role user without user":    {func(w *Web) { w.Users[1].User = "" }, "web.users[1].user: is empty"},
		"role user without tenant":  {func(w *Web) { w.Users[1].Tenant = "" }, "web.users[1].tenant: is empty: name the tenant of this user"},
		"a user of an operator":     {func(w *Web) { w.Users[0].User = "max" }, "web.users[0].user: is for the role user"},
		"no password, no proxy":     {func(w *Web) { w.ForwardAuth = ForwardAuth{} }, "web.users[1].password_bcrypt"},
		"no issuer":                 {func(w *Web) { w.Links[0].Issuer = "" }, "web.links[0].issuer: is empty"},
		"an issuer twice":           {func(w *Web) { w.Links[1].Issuer = "crm" }, `web.links[1].issuer: "crm" is there twice`},
		"an issuer like a provider": {func(w *Web) { w.Links[0].Issuer = "oidc" }, "web.links[0].issuer"},
		"an issuer with a colon":    {func(w *Web) { w.Links[0].Issuer = "oidc:olga" }, "web.links[0].issuer"},
		"no key":                    {func(w *Web) { w.Links[0].Secret = secret.New("") }, "web.links[0]: has no key"},
		"two keys":                  {func(w *Web) { w.Links[0].PublicKey = linkKey }, "web.links[0]: has both"},
		"a short secret":            {func(w *Web) { w.Links[0].Secret = secret.New(linkSecret[1:]) }, "web.links[0]: has a secret of 31 octets"},
		"a key that is none":        {func(w *Web) { w.Links[1].PublicKey = "hunter2" }, "web.links[1]: has a public key that is not in PEM"},
		"an unknown role":           {func(w *Web) { w.Links[1].Roles = List{"root"} }, `web.links[1].roles: "root" is unknown`},
		"operators by role":         {func(w *Web) { w.Links[0].Roles = List{RoleOperator} }, "web.links[0].roles"},
		"operators of a tenant":     {func(w *Web) { w.Links[0].Tenants = List{"acme"} }, "web.links[0].operators"},
		"a secret without header":   {func(w *Web) { w.ForwardAuth.Header = ""; w.Users = w.Users[:1] }, "web.forward_auth.header: is empty"},
		"no header":                 {func(w *Web) { w.ForwardAuth.Header = "X: y" }, "web.forward_auth.header"},
		"Authorization":             {func(w *Web) { w.ForwardAuth.Header = "authorization" }, "web.forward_auth.header"},
		"the same header":           {func(w *Web) { w.ForwardAuth.SecretHeader = "x-forwarded-user" }, "web.forward_auth.secret_header"},
		"a secret to guess":         {func(w *Web) { w.ForwardAuth.Secret = secret.New("hunter2") }, "web.forward_auth.secret: is 7 characters"},
		"no secret":                 {func(w *Web) { w.ForwardAuth.Secret = secret.New("") }, "web.forward_auth.secret: is 0 characters"},
		"no proxy":                  {func(w *Web) { w.TrustedProxies = nil }, "web.trusted_proxies: is empty"},
		"nobody to name":            {func(w *Web) { w.Users = nil }, "web.users: is empty"},
		"a provider without TLS":    {func(w *Web) { w.OIDC.Issuer = "http://login.example" }, "web.oidc.issuer"},
		"a provider of this host":   {func(w *Web) { w.OIDC.Issuer = "http://127.0.0.1:8081" }, ""},
		"no provider":               {func(w *Web) { w.OIDC.Issuer = "" }, "web.oidc.issuer: is empty"},
		"no client":                 {func(w *Web) { w.OIDC.ClientID = "" }, "web.oidc.client_id"},
		"no operators":              {func(w *Web) { w.OIDC.Operators = nil }, "web.oidc.operators: is empty"},
		"no address":                {func(w *Web) { w.OIDC.Operators = List{"olga"} }, "web.oidc.operators"},
		"an address twice":          {func(w *Web) { w.OIDC.Operators = List{"o@a.example", "O@a.example"} }, "web.oidc.operators"},
	}
	passwordHash := hash(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := signIn(passwordHash)
			tt.change(&c.Web)
			err := c.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			case err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2hunter2")):
				t.Errorf("more than one problem, or a secret: %v", err)
			}
		})
	}
}

// TestSignInFiles: keys come from files, relative to that of the configuration, and the
// path below which the pages stand from their address.
func TestSignInFiles(t *testing.T) {
	t.Parallel()
	path := write(t, "rohrpost.yaml", `
web:
  public_url: https://crm.example/mail
  trusted_proxies: [127.0.0.1]
  users: [{name: eva, role: user, tenant: acme, user: eva}]
  links:
    - {issuer: crm, secret_file: crm.key}
    - {issuer: shop, public_key_file: shop.pem, tenants: [acme, initech], operators: false}
  forward_auth: {header: X-User, secret_file: proxy.key}
  oidc:
    issuer: https://login.example
    client_id: c
    operators: [olga@platform.example]
`)
	for name, text := range map[string]string{"crm.key": linkSecret + "\n", "shop.pem": linkKey, "proxy.key": "hunter2hunter2hunter2"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := c.Web
	if w.BasePath != "/mail" || w.Links[0].Secret.Reveal() != linkSecret || w.Links[1].PublicKey != strings.TrimSuffix(linkKey, "\n") ||
		len(w.Links[1].Tenants) != 2 || w.ForwardAuth.Secret.IsZero() || w.ForwardAuth.SecretHeader != "X-Forwarded-Secret" || len(w.OIDC.Operators) != 1 {
		t.Errorf("%+v", w)
	}
	warnings := strings.Join(c.ReadableSecrets(), "\n")
	if !strings.Contains(warnings, "crm.key") || !strings.Contains(warnings, "proxy.key") || strings.Contains(warnings, "shop.pem") {
		t.Errorf("of the files that all can read: %s", warnings)
	}
	var shown strings.Builder
	if err := c.Show(&shown); err != nil || strings.Contains(shown.String(), "hunter2") || strings.Contains(shown.String(), "BEGIN") {
		t.Errorf("%v\n%s", err, shown.String())
	}
	again, err := Load(write(t, "rohrpost.yaml", shown.String()), nil)
	if err != nil || again.Web.Links[1].PublicKey != w.Links[1].PublicKey {
		t.Errorf("what is shown cannot be loaded: %v", err)
	}
	if w.Links[1].PublicKey == "" {
		t.Error("Show changes the configuration")
	}
}

// TestSignInProblems: all faults are told, each with its line.
func TestSignInProblems(t *testing.T) {
	t.Parallel()
	path := write(t, "rohrpost.yaml", "web:\n  base_path: mail\n  links:\n    - {issuer: crm, secret_file: none}\n    - {isuer: shop}\n    - issuer: erp\n  oidc:\n    client_id: c\n    operator: x\n")
	_, err := Load(path, nil)
	for _, want := range []string{
		`web.base_path (` + path + ":2)", "web.links[0].secret_file (" + path + ":4): stat ", path + ":5: unknown key web.links[1].isuer (did you mean web.links[1].issuer?)",
		"web.links[2] (" + path + ":6): has no key", path + ":9: unknown key web.oidc.operator (did you mean web.oidc.operators?)",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}
