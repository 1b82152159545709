package adminlink_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

const secret = "0123456789abcdef0123456789abcdef"

var whole = adminlink.Link{
	Subject: "4711", Name: "Max Müller", Email: "max@acme.example", Tenant: "acme", Role: adminlink.User, Language: "de", Zone: "Europe/Berlin",
	ReturnURL: "https://crm.example/settings?tab=mail", Place: adminlink.UserPlace("max"), Action: adminlink.Test,
}

// open takes a token apart, as any other language would.
func open(t *testing.T, token string) (header, claims map[string]any, signed string, signature []byte) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for i, into := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decode(parts[i]), into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims, parts[0] + "." + parts[1], decode(parts[2])
}

func privateKey(t *testing.T, key any) rohrpost.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return rohrpost.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func TestSecretToken(t *testing.T) {
	t.Parallel()
	s, err := adminlink.NewSecret("crm", rohrpost.NewSecret(secret))
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.URL("https://crm.example/mail/", whole)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Host != "crm.example" || u.Path != "/mail/sso" {
		t.Fatalf("%s, %v", link, err)
	}
	header, claims, signed, signature := open(t, u.Query().Get("token"))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	if header["alg"] != "HS256" || !bytes.Equal(mac.Sum(nil), signature) {
		t.Errorf("header %v, or the signature is another one", header)
	}
	exp, iat, jti := claims["exp"].(float64), claims["iat"].(float64), claims["jti"].(string)
	if ahead := time.Until(time.Unix(int64(exp), 0)); exp-iat != 60 || ahead > time.Minute || ahead < 50*time.Second || len(jti) < 26 {
		t.Errorf("exp in %v, iat %v, jti %s", ahead, iat, jti)
	}
	for _, key := range []string{"exp", "iat", "jti"} {
		delete(claims, key)
	}
	want := map[string]any{
		"iss": "crm", "aud": "rohrpost", "sub": "4711", "name": "Max Müller", "email": "max@acme.example", "tenant": "acme", "role": "user", "lang": "de",
		"tz": "Europe/Berlin", "return_url": "https://crm.example/settings?tab=mail", "place": "user/max", "action": "test",
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Error(diff)
	}
	if again, err := s.Token(whole); err != nil || again == u.Query().Get("token") {
		t.Errorf("the second token is the first one, %v", err)
	}
}

func TestKeyToken(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := adminlink.NewKey("crm", privateKey(t, private))
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(whole)
	if err != nil {
		t.Fatal(err)
	}
	header, _, signed, signature := open(t, token)
	if header["alg"] != "EdDSA" || !ed25519.Verify(public, []byte(signed), signature) {
		t.Errorf("header %v, or the signature is another one", header)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() (*adminlink.Signer, error){
		"the secret has 31 octets": func() (*adminlink.Signer, error) { return adminlink.NewSecret("crm", rohrpost.NewSecret(secret[1:])) },
		"the issuer is empty":      func() (*adminlink.Signer, error) { return adminlink.NewSecret("", rohrpost.NewSecret(secret)) },
		"not in PEM":               func() (*adminlink.Signer, error) { return adminlink.NewKey("crm", rohrpost.NewSecret(secret)) },
		"not in PKCS #8": func() (*adminlink.Signer, error) {
			return adminlink.NewKey("crm", rohrpost.NewSecret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
		},
		"*rsa.PrivateKey": func() (*adminlink.Signer, error) { return adminlink.NewKey("crm", privateKey(t, rsaKey)) },
	} {
		if s, err := try(); s != nil || err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*adminlink.Link)
		field  string // that is wrong; "" if none
	}{
		"all":                     {func(*adminlink.Link) {}, ""},
		"the least":               {func(l *adminlink.Link) { *l = adminlink.Link{Subject: "1", Tenant: "acme", Role: adminlink.Reader} }, ""},
		"an operator":             {func(l *adminlink.Link) { *l = adminlink.Link{Subject: "1", Role: adminlink.Operator} }, ""},
		"nobody":                  {func(l *adminlink.Link) { l.Subject = "" }, "sub"},
		"no role":                 {func(l *adminlink.Link) { l.Role = "" }, "role"},
		"another role":            {func(l *adminlink.Link) { l.Role = "Admin" }, "role"},
		"no tenant":               {func(l *adminlink.Link) { l.Tenant, l.Place, l.Role = "", "", adminlink.Admin }, "tenant"},
		"place without tenant":    {func(l *adminlink.Link) { l.Tenant, l.Role = "", adminlink.Operator }, "place"},
		"a user without place":    {func(l *adminlink.Link) { l.Place = "" }, "place"},
		"a user at the tenant's":  {func(l *adminlink.Link) { l.Place = adminlink.PlaceTenant }, "place"},
		"a user without id":       {func(l *adminlink.Link) { l.Place = "user/" }, "place"},
		"an unknown place":        {func(l *adminlink.Link) { l.Place, l.Role = "platform", adminlink.Admin }, "place"},
		"no mailbox":              {func(l *adminlink.Link) { l.Email = "max" }, "email"},
		"no zone":                 {func(l *adminlink.Link) { l.Zone = "Berlin" }, "tz"},
		"this machine's zone":     {func(l *adminlink.Link) { l.Zone = "Local" }, "tz"},
		"a file":                  {func(l *adminlink.Link) { l.Zone = "../../etc/passwd" }, "tz"},
		"a script as way back":    {func(l *adminlink.Link) { l.ReturnURL = "javascript:alert(1)" }, "return_url"},
		"a path as way back":      {func(l *adminlink.Link) { l.ReturnURL = "/settings" }, "return_url"},
		"no scheme":               {func(l *adminlink.Link) { l.ReturnURL = "//crm.example/" }, "return_url"},
		"a password in the way":   {func(l *adminlink.Link) { l.ReturnURL = "https://bank.example:x@evil.example/" }, "return_url"},
		"a long way back":         {func(l *adminlink.Link) { l.ReturnURL = "https://crm.example/" + strings.Repeat("x", 2048) }, "return_url"},
		"a long name":             {func(l *adminlink.Link) { l.Name = strings.Repeat("x", 257) }, "name"},
		"a line break":            {func(l *adminlink.Link) { l.Name = "Max\r\nSet-Cookie: x" }, "name"},
		"another encoding":        {func(l *adminlink.Link) { l.Tenant = "M\xfcller" }, "tenant"},
		"an action nobody knows":  {func(l *adminlink.Link) { l.Action = "dance" }, ""},
		"a language nobody knows": {func(l *adminlink.Link) { l.Language = "fr" }, ""},
	}
	for name, tt := range tests {
		l := whole
		tt.change(&l)
		err := l.Validate()
		if tt.field == "" != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), tt.field+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
