package attack

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	linkSecret = "the secret of the crm, 32 octets"
	shopSecret = "the secret of shop, 32 octets ok"
	// linkPublic is an Ed25519 public key, of which nobody here has the private one.
	linkPublic = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n"
)

// signInSite has every way in but OIDC, below /mail.
func signInSite(t *testing.T) (*site, *process) {
	t.Helper()
	s := newSite(t, "")
	hash, err := bcrypt.GenerateFromPassword([]byte(goodPassword), 10)
	if err != nil {
		t.Fatal(err)
	}
	s.write("erp.pem", linkPublic)
	s.configure(fmt.Sprintf(`redis: {url: %%[1]q}
accounts: {store: redis}
web:
  base_path: /mail
  embed_origins: [https://crm.example]
  trusted_proxies: [192.0.2.0/24]
  users: [{name: olga, role: operator, password_bcrypt: %q}, {name: rita, role: reader, tenant: acme, password_bcrypt: %[1]q}]
  links:
    - {issuer: crm, secret: %q}
    - {issuer: shop, secret: %q, tenants: [acme], roles: [reader]}
    - {issuer: erp, public_key_file: erp.pem}
  forward_auth: {header: X-Forwarded-User, secret: 0123456789abcdef}
`, hash, linkSecret, shopSecret))
	return s, s.start("web")
}

// signedLink is a token by HS256 under any header.
func signedLink(t *testing.T, header, key string, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "crm", "aud": "rohrpost", "sub": "1", "tenant": "acme", "role": "admin", "jti": rand.Text(), "exp": time.Now().Add(50 * time.Second).Unix(),
	}
	maps.Copy(claims, changes)
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	if key == "" {
		return text + "."
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const hs256 = `{"alg":"HS256"}`

// postForm sends a form, with headers in pairs, and follows nothing.
func (v visitor) postForm(path, form string, header ...string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, "http://"+v.addr+path, strings.NewReader(form))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// signedIn is the cookie of the session that an answer begins.
func signedIn(a answer) string {
	for _, cookie := range a.header.Values("Set-Cookie") {
		if name, _, _ := strings.Cut(cookie, ";"); strings.Contains(name, "rohrpost-session") {
			return name
		}
	}
	return ""
}

// behindPath is nginx in front of addr, which passes /mail/ on.
func behindPath(t *testing.T, addr string) string {
	t.Helper()
	return proxied(t, addr, "nginx", `
daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / { return 404; }
		location /mail/ { proxy_pass http://%[3]s; proxy_set_header X-Forwarded-Proto https; }
	}
}
`, "-c")
}

// TestS1Links: a link lets in whom it names, once, and nobody else. Behind nginx, below a
// path.
func TestS1Links(t *testing.T) {
	t.Parallel()
	_, p := signInSite(t)
	v := visitor{t, behindPath(t, p.addr)}
	bring := func(token string) answer {
		t.Helper()
		return v.postForm("/mail/sso", url.Values{"token": {token}}.Encode(), "Origin", "https://crm.example", "Sec-Fetch-Site", "cross-site")
	}
	good := signedLink(t, hs256, linkSecret, nil)
	in := bring(good)
	cookie := in.header.Get("Set-Cookie")
	if in.status != http.StatusSeeOther || in.header.Get("Location") != "/mail/t/acme/" || in.header.Get("Referrer-Policy") != "no-referrer" ||
		!strings.HasPrefix(cookie, "__Host-rohrpost-session") || !strings.Contains(cookie, "Path=/; ") || !strings.Contains(cookie, "HttpOnly; Secure; SameSite=None; Partitioned") {
		t.Fatalf("%d %v %s", in.status, in.header, in.body)
	}
	if got := v.ask(http.MethodGet, "/mail/me", "Cookie", sessionOf(in)); got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-ancestors 'self' https://crm.example") {
		t.Errorf("with the session: %d %v", got.status, got.header)
	}
	for name, path := range map[string]string{"another tenant": "/mail/t/beta/problems", "the queues": "/mail/queues/"} {
		if got := v.ask(http.MethodGet, path, "Cookie", sessionOf(in)); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for name, token := range map[string]string{
		"twice":                      good,
		"expired":                    signedLink(t, hs256, linkSecret, map[string]any{"exp": time.Now().Add(-6 * time.Second).Unix()}),
		"for an hour":                signedLink(t, hs256, linkSecret, map[string]any{"exp": time.Now().Add(time.Hour).Unix()}),
		"another signature":          signedLink(t, hs256, shopSecret, nil),
		"none":                       signedLink(t, `{"alg":"none"}`, "", nil),
		"HS256 without a signature":  signedLink(t, hs256, "", nil),
		"the public key as a secret": signedLink(t, hs256, linkPublic, map[string]any{"iss": "erp"}),
		"without the line end":       signedLink(t, hs256, strings.TrimSpace(linkPublic), map[string]any{"iss": "erp"}),
		"another audience":           signedLink(t, hs256, linkSecret, map[string]any{"aud": "payroll"}),
		"an operator":                signedLink(t, hs256, linkSecret, map[string]any{"role": "operator"}),
		"a tenant that is not its":   signedLink(t, hs256, shopSecret, map[string]any{"iss": "shop", "role": "reader", "tenant": "beta"}),
		"a role that is not its":     signedLink(t, hs256, shopSecret, map[string]any{"iss": "shop"}),
		"a script as the way back":   signedLink(t, hs256, linkSecret, map[string]any{"return_url": "javascript:alert(1)"}),
	} {
		for _, got := range []answer{bring(token), v.ask(http.MethodGet, "/mail/sso?token="+url.QueryEscape(token))} {
			if got.status < 400 || got.status > 499 || got.header.Get("Set-Cookie") != "" || strings.Contains(got.body, "javascript:") {
				t.Errorf("%s: %d %v", name, got.status, got.header)
			}
		}
	}
	for _, secret := range []string{good, linkSecret, strings.SplitN(sessionOf(in), "=", 2)[1]} {
		if strings.Contains(p.said.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}

// TestS2Sessions: a session ends with the sign-out, in every process; an id that was planted
// is worth nothing; nobody is signed in by a form of another site, or led to another site.
func TestS2Sessions(t *testing.T) {
	t.Parallel()
	s, p := signInSite(t)
	other := s.start("web")
	v, second := visitor{t, p.addr}, visitor{t, other.addr}
	const https = "X-Forwarded-Proto"
	form := url.Values{"name": {"rita"}, "password": {goodPassword}}
	thief := signedIn(v.postForm("/mail/login", form.Encode(), https, "https"))
	form.Set("name", "olga")
	in := v.postForm("/mail/login", form.Encode(), https, "https", "Cookie", thief)
	olga := signedIn(in)
	if in.status != http.StatusSeeOther || olga == thief || !strings.HasPrefix(olga, "__Host-") {
		t.Fatalf("%d %v", in.status, in.header)
	}
	ask := func(v visitor, cookie string) int {
		t.Helper()
		name, value, _ := strings.Cut(cookie, "=")
		_, port, _ := strings.Cut(v.addr, ":") // of which each process has its own name
		return v.ask(http.MethodGet, "/mail/queues/", https, "https", "Cookie", name[:strings.LastIndex(name, "-")+1]+port+"="+value).status
	}
	if here, there, stolen := ask(v, olga), ask(second, olga), ask(v, thief); here != 200 || there != 200 || stolen != http.StatusUnauthorized {
		t.Errorf("olga: %d, at another process: %d; with the planted id: %d", here, there, stolen)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		for _, path := range []string{"/mail/login", "/mail/logout", "/mail/me"} {
			if got := v.postForm(path, form.Encode(), append(header, https, "https", "Cookie", olga)...); got.status != http.StatusForbidden {
				t.Errorf("%s from another site: %d", path, got.status)
			}
		}
	}
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/%5Cevil.example"} {
		form.Set("next", next)
		if got := v.postForm("/mail/login", form.Encode(), https, "https"); got.header.Get("Location") != "/mail/" {
			t.Errorf("%s leads to %s", next, got.header.Get("Location"))
		}
	}
	if got := v.postForm("/mail/logout", "", https, "https", "Cookie", olga); got.status != http.StatusOK {
		t.Errorf("sign-out: %d", got.status)
	}
	if here, there := ask(v, olga), ask(second, olga); here != http.StatusUnauthorized || there != http.StatusUnauthorized {
		t.Errorf("after the sign-out: %d, at another process: %d", here, there)
	}
}

// TestS3ForwardedName: a name in a header is believed from no foreign address, whatever it
// sends along.
func TestS3ForwardedName(t *testing.T) {
	t.Parallel()
	_, p := signInSite(t)
	v := visitor{t, p.addr}
	for _, header := range [][]string{nil, {"X-Forwarded-For", "192.0.2.1"}, {"X-Real-Ip", "192.0.2.1"}} {
		got := v.ask(http.MethodGet, "/mail/me", append(header, "X-Forwarded-User", "olga", "X-Forwarded-Secret", "0123456789abcdef")...)
		if got.status != http.StatusUnauthorized {
			t.Errorf("%v: %d", header, got.status)
		}
	}
}

// TestS4Frozen: with a Redis that does not answer, nobody is let in, and everybody is told
// within three seconds.
func TestS4Frozen(t *testing.T) {
	t.Parallel()
	s, p := signInSite(t)
	v := visitor{t, p.addr}
	cookie := sessionOf(v.postForm("/mail/sso", "token="+signedLink(t, hs256, linkSecret, nil)))
	s.redis.Pause()
	defer s.redis.Resume()
	for name, ask := range map[string]func() answer{
		"a session": func() answer { return v.ask(http.MethodGet, "/mail/me", "Cookie", cookie) },
		"a link":    func() answer { return v.postForm("/mail/sso", "token="+signedLink(t, hs256, linkSecret, nil)) },
	} {
		begin := time.Now()
		if got := ask(); got.status != http.StatusServiceUnavailable || time.Since(begin) > 3*time.Second || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d after %v", name, got.status, time.Since(begin))
		}
	}
}
