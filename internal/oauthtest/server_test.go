package oauthtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2/jwt"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
)

func post(t *testing.T, s *oauthtest.Server, form url.Values) (status int, answer map[string]any) {
	t.Helper()
	resp, err := s.Client().PostForm(s.TokenURL(), form)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(b, &answer) // some answers are none
	return resp.StatusCode, answer
}

func form(pairs ...string) url.Values {
	v := url.Values{"client_id": {"client-1"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		rotate, strict bool
	}{{"Google", false, false}, {"Microsoft", true, false}, {"strict", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t, oauthtest.Options{TLS: true, Rotate: tt.rotate, Strict: tt.strict})
			refresh := s.Connect("max@acme.example")
			status, answer := post(t, s, form("grant_type", "refresh_token", "refresh_token", refresh))
			access, _ := answer["access_token"].(string)
			if status != 200 || !s.Valid(access) || s.Mailbox(access) != "max@acme.example" || answer["expires_in"] != 3600.0 {
				t.Fatalf("%d %v", status, answer)
			}
			if _, rotated := answer["refresh_token"]; rotated != tt.rotate {
				t.Errorf("answer %v", answer)
			}
			again, _ := post(t, s, form("grant_type", "refresh_token", "refresh_token", refresh))
			if again == 200 == tt.strict {
				t.Errorf("the old refresh token: %d", again)
			}
			s.Revoke(access)
			if s.Valid(access) || s.Count("refresh_token") != 2 || s.Count("") != 2 {
				t.Errorf("requests %v", s.Requests())
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Options{Scope: "send"})
	for _, tt := range []struct {
		form url.Values
		want string
	}{
		{form("client_id", "other", "grant_type", "refresh_token"), "invalid_client"},
		{form("client_secret", "other", "grant_type", "refresh_token"), "invalid_client"},
		{form("grant_type", "refresh_token", "refresh_token", "x"), "invalid_grant"},
		{form("grant_type", "refresh_token", "refresh_token", s.Connect("m"), "scope", "sender"), "invalid_scope"},
		{form("grant_type", "authorization_code", "code", "x"), "invalid_grant"},
		{form("grant_type", "client_credentials"), "invalid_client"},
		{form("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion", "a.b.c"), "invalid_grant"},
		{form("grant_type", "password"), "unsupported_grant_type"},
	} {
		if status, answer := post(t, s, tt.form); status < 400 || answer["error"] != tt.want {
			t.Errorf("%v: %d %v, want %s", tt.form, status, answer, tt.want)
		}
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Options{Rotate: true, Strict: true})
	refresh := s.Connect("m")
	ask := func() (int, map[string]any) {
		return post(t, s, form("grant_type", "refresh_token", "refresh_token", refresh))
	}
	called := false
	s.Once(
		oauthtest.Microsoft(400, "invalid_grant", "Expired.", 700082), oauthtest.Google(400, "invalid_grant", "Reauth.", "invalid_rapt"),
		oauthtest.Raw(503, "down").Doing(func() { called = true }), oauthtest.Cut(), oauthtest.Cut().Issuing(),
	)
	if status, a := ask(); status != 400 || !strings.HasPrefix(a["error_description"].(string), "AADSTS700082: ") || a["error_codes"].([]any)[0] != 700082.0 {
		t.Errorf("%d %v", status, a)
	}
	if status, a := ask(); status != 400 || a["error_subtype"] != "invalid_rapt" {
		t.Errorf("%d %v", status, a)
	}
	if status, _ := ask(); status != 503 || !called {
		t.Errorf("%d, called %v", status, called)
	}
	for range 2 {
		if status, _ := ask(); status != 0 {
			t.Errorf("%d, want a cut connection", status)
		}
	}
	if status, a := ask(); status != 400 {
		t.Errorf("the refresh token was used by the lost answer: %d %v", status, a)
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Options{})
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	query := func(edit ...string) string {
		q := url.Values{
			"client_id": {"client-1"}, "response_type": {"code"}, "state": {"s"}, "scope": {"send openid"}, "redirect_uri": {"http://127.0.0.1:1/"},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		}
		for i := 0; i < len(edit); i += 2 {
			q.Set(edit[i], edit[i+1])
		}
		return s.AuthURL() + "?" + q.Encode()
	}
	browser := *s.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	visit := func(u string) (int, url.Values) {
		resp, err := browser.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if l, err := resp.Location(); err == nil {
			return resp.StatusCode, l.Query()
		}
		return resp.StatusCode, nil
	}
	for _, name := range []string{"client_id", "response_type", "state", "scope", "redirect_uri", "code_challenge", "code_challenge_method"} {
		if status, _ := visit(query(name, "")); status != 400 {
			t.Errorf("without %s: %d", name, status)
		}
	}
	redeem := func(code, verifier string) (int, map[string]any) {
		return post(t, s, form("grant_type", "authorization_code", "code", code, "redirect_uri", "http://127.0.0.1:1/", "code_verifier", verifier))
	}
	_, back := visit(query())
	if status, _ := redeem(back.Get("code"), "wrong"); status != 400 {
		t.Errorf("a wrong verifier: %d", status)
	}
	_, back = visit(query())
	status, a := redeem(back.Get("code"), verifier)
	if status != 200 || a["id_token"] == nil || a["refresh_token"] == nil || back.Get("state") != "s" {
		t.Errorf("%d %v", status, a)
	}
	if status, _ := redeem(back.Get("code"), verifier); status != 400 {
		t.Errorf("a code that was used: %d", status)
	}
}

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Options{Scope: "send"})
	var key struct {
		Email string `json:"client_email"`
		ID    string `json:"private_key_id"`
		Key   string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(s.ServiceAccountKey()), &key); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(*jwt.Config)
		good bool
	}{
		{"good", func(*jwt.Config) {}, true},
		{"issuer", func(c *jwt.Config) { c.Email = "x" }, false},
		{"subject", func(c *jwt.Config) { c.Subject = "" }, false},
		{"scope", func(c *jwt.Config) { c.Scopes = []string{"read"} }, false},
		{"audience", func(c *jwt.Config) { c.Audience = "https://elsewhere.example" }, false},
		{"two hours", func(c *jwt.Config) { c.Expires = 7200e9 }, false},
		{"key id", func(c *jwt.Config) { c.PrivateKeyID = "key-2" }, false},
		{"another key", func(c *jwt.Config) {
			var other struct {
				Key string `json:"private_key"`
			}
			_ = json.Unmarshal([]byte(oauthtest.Start(t, oauthtest.Options{}).ServiceAccountKey()), &other)
			c.PrivateKey = []byte(other.Key)
		}, false},
	} {
		c := jwt.Config{Email: key.Email, PrivateKey: []byte(key.Key), PrivateKeyID: key.ID, Subject: "max@acme.example", Scopes: []string{"send"}, TokenURL: s.TokenURL()}
		tt.edit(&c)
		got, err := c.TokenSource(t.Context()).Token()
		if (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && s.Mailbox(got.AccessToken) != "max@acme.example" {
			t.Errorf("a token for %q", s.Mailbox(got.AccessToken))
		}
	}
}
