package adminlink_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	public "github.com/rohrpost/rohrpost/producer/adminlink"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	os.Exit(m.Run())
}

const (
	crmSecret  = "the secret of crm, 32 octets long"
	shopSecret = "the secret of the shop, 32 octets"
)

// A bench has three issuers: crm and shop with a secret, erp with a key.
type bench struct {
	*adminlink.Verifier
	redis   *redistest.Server
	now     time.Time
	private ed25519.PrivateKey
	public  string // in PEM
}

func newBench(t *testing.T) *bench {
	t.Helper()
	key, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		redis: redistest.Start(t), private: private, now: time.Now().Truncate(time.Second),
		public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	}
	b.Verifier, err = adminlink.New(adminlink.Options{
		Redis: b.redis.Client(t), Now: func() time.Time { return b.now }, Issuers: []adminlink.Issuer{
			{Name: "crm", Secret: secret.New(crmSecret), Operators: true},
			{Name: "shop", Secret: secret.New(shopSecret), Tenants: []string{"acme"}, Roles: []string{"admin", "user"}},
			{Name: "erp", PublicKey: b.public},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type claims map[string]any

// claims are good ones of an issuer, with changes; a nil value takes a claim out.
func (b *bench) claims(issuer string, changes claims) claims {
	c := claims{
		"iss": issuer, "aud": "rohrpost", "sub": "4711", "tenant": "acme", "role": "admin", "jti": rand.Text(), "exp": b.now.Add(time.Minute).Unix(),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// token signs claims as sign says, under a header of any text.
func token(t *testing.T, header string, c claims, sign func(string) []byte) string {
	t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign(text))
}

func mac(kind func() hash.Hash, key string) func(string) []byte {
	return func(text string) []byte {
		h := hmac.New(kind, []byte(key))
		h.Write([]byte(text))
		return h.Sum(nil)
	}
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func (b *bench) hs256(t *testing.T, key string, c claims) string {
	t.Helper()
	return token(t, hs256, c, mac(sha256.New, key))
}

func (b *bench) eddsa(text string) []byte { return ed25519.Sign(b.private, []byte(text)) }

func TestRedeem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	whole := public.Link{
		Subject: "4711", Name: "Max", Email: "max@acme.example", Tenant: "acme", Role: public.User, Language: "de", Zone: "Europe/Berlin",
		ReturnURL: "https://crm.example/", Place: public.UserPlace("max"), Action: public.Test,
	}
	signer, err := public.NewSecret("crm", rohrpost.NewSecret(crmSecret))
	if err != nil {
		t.Fatal(err)
	}
	b.now = time.Now()
	made, err := signer.Token(whole)
	if err != nil {
		t.Fatal(err)
	}
	link, issuer, err := b.Redeem(t.Context(), made)
	if diff := cmp.Diff(whole, link); diff != "" || issuer.Name != "crm" || err != nil {
		t.Errorf("%s %v %v", diff, issuer.Name, err)
	}
	if _, issuer, err := b.Redeem(t.Context(), token(t, `{"alg":"EdDSA"}`, b.claims("erp", nil), b.eddsa)); err != nil || issuer.Name != "erp" {
		t.Errorf("EdDSA: %v", err)
	}
}

func TestForged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nothing := func(string) []byte { return nil }
	good := b.hs256(t, crmSecret, b.claims("crm", nil))
	tests := map[string]string{
		"another signature":                b.hs256(t, shopSecret, b.claims("crm", nil)),
		"another issuer's name":            b.hs256(t, crmSecret, b.claims("shop", nil)),
		"an unknown issuer":                b.hs256(t, crmSecret, b.claims("evil", nil)),
		"no issuer":                        b.hs256(t, crmSecret, b.claims("crm", claims{"iss": nil})),
		"none":                             token(t, `{"alg":"none"}`, b.claims("crm", nil), nothing),
		"None":                             token(t, `{"alg":"None"}`, b.claims("crm", nil), nothing),
		"HS256 without signature":          token(t, hs256, b.claims("crm", nil), nothing),
		"HS256 with the public key":        b.hs256(t, b.public, b.claims("erp", nil)),
		"HS256 with its bytes":             b.hs256(t, string(b.private.Public().(ed25519.PublicKey)), b.claims("erp", nil)),
		"EdDSA for an issuer of a secret":  token(t, `{"alg":"EdDSA"}`, b.claims("crm", nil), b.eddsa),
		"HS512 with the secret":            token(t, `{"alg":"HS512"}`, b.claims("crm", nil), mac(sha512.New, crmSecret)),
		"HS256 said, EdDSA made":           token(t, hs256, b.claims("erp", nil), b.eddsa),
		"a key in the header":              token(t, `{"alg":"HS256","jwk":{"kty":"oct","k":"eA"}}`, b.claims("crm", nil), mac(sha256.New, "x")),
		"a header nobody understands":      token(t, `{"alg":"HS256","crit":["exp"],"exp":1}`, b.claims("crm", nil), mac(sha256.New, crmSecret)),
		"claims of another token":          strings.Join([]string{part(good, 0), part(b.hs256(t, shopSecret, b.claims("crm", claims{"role": "operator"})), 1), part(good, 2)}, "."),
		"nothing":                          "",
		"no token":                         "a.b.c",
		"a very long one":                  good + strings.Repeat("A", adminlink.MaxToken),
		"no audience":                      b.hs256(t, crmSecret, b.claims("crm", claims{"aud": nil})),
		"another audience":                 b.hs256(t, crmSecret, b.claims("crm", claims{"aud": "payroll"})),
		"never expires":                    b.hs256(t, crmSecret, b.claims("crm", claims{"exp": nil})),
		"expires late":                     b.hs256(t, crmSecret, b.claims("crm", claims{"exp": b.now.Add(66 * time.Second).Unix()})),
		"expires as text":                  b.hs256(t, crmSecret, b.claims("crm", claims{"exp": "tomorrow"})),
		"from the future":                  b.hs256(t, crmSecret, b.claims("crm", claims{"iat": b.now.Add(6 * time.Second).Unix()})),
		"not yet":                          b.hs256(t, crmSecret, b.claims("crm", claims{"nbf": b.now.Add(6 * time.Second).Unix()})),
		"no id":                            b.hs256(t, crmSecret, b.claims("crm", claims{"jti": nil})),
		"a long id":                        b.hs256(t, crmSecret, b.claims("crm", claims{"jti": strings.Repeat("x", 257)})),
		"no subject":                       b.hs256(t, crmSecret, b.claims("crm", claims{"sub": nil})),
		"no tenant":                        b.hs256(t, crmSecret, b.claims("crm", claims{"tenant": nil})),
		"an unknown role":                  b.hs256(t, crmSecret, b.claims("crm", claims{"role": "root"})),
		"a script to go back to":           b.hs256(t, crmSecret, b.claims("crm", claims{"return_url": "javascript:alert(1)"})),
		"a user without an account":        b.hs256(t, crmSecret, b.claims("crm", claims{"role": "user"})),
		"a user who is several":            b.hs256(t, crmSecret, b.claims("crm", claims{"role": "user", "place": []string{"user/a", "user/b"}})),
		"the same claim twice, last admin": twice(t, b),
	}
	for name, forged := range tests {
		link, _, err := b.Redeem(t.Context(), forged)
		if !errors.Is(err, adminlink.ErrInvalid) || link != (public.Link{}) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), crmSecret) || forged != "" && strings.Contains(err.Error(), forged)) {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}
	if _, _, err := b.Redeem(t.Context(), good); err != nil {
		t.Errorf("the good one afterwards: %v", err)
	}
}

func part(token string, n int) string { return strings.Split(token, ".")[n] }

// twice is a good token in which a claim stands twice: parsers differ in which counts.
func twice(t *testing.T, b *bench) string {
	t.Helper()
	body, err := json.Marshal(b.claims("crm", claims{"role": "reader"}))
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(hs256)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(strings.TrimSuffix(string(body), "}")+`,"role":"admin"}`))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(sha256.New, crmSecret)(text))
}

func TestRights(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := map[string]struct {
		issuer, secret string
		changes        claims
		err            error
	}{
		"an operator, allowed":  {"crm", crmSecret, claims{"role": "operator", "tenant": nil}, nil},
		"any tenant":            {"crm", crmSecret, claims{"tenant": "initech"}, nil},
		"any role":              {"crm", crmSecret, claims{"role": "reader"}, nil},
		"its tenant":            {"shop", shopSecret, nil, nil},
		"its role":              {"shop", shopSecret, claims{"role": "user", "place": "user/max"}, nil},
		"another tenant":        {"shop", shopSecret, claims{"tenant": "initech"}, adminlink.ErrForbidden},
		"another role":          {"shop", shopSecret, claims{"role": "reader"}, adminlink.ErrForbidden},
		"an operator":           {"shop", shopSecret, claims{"role": "operator", "tenant": nil}, adminlink.ErrForbidden},
		"an operator of acme's": {"shop", shopSecret, claims{"role": "operator"}, adminlink.ErrForbidden},
	}
	for name, tt := range tests {
		if _, _, err := b.Redeem(t.Context(), b.hs256(t, tt.secret, b.claims(tt.issuer, tt.changes))); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	begin := b.now
	for after, want := range map[time.Duration]error{
		0: nil, time.Minute: nil, time.Minute + 5*time.Second: nil, time.Minute + 6*time.Second: adminlink.ErrExpired, time.Hour: adminlink.ErrExpired,
	} {
		b.now = begin
		made := b.hs256(t, crmSecret, b.claims("crm", nil))
		b.now = begin.Add(after)
		if _, _, err := b.Redeem(t.Context(), made); !errors.Is(err, want) {
			t.Errorf("after %v: %v", after, err)
		}
	}
}

// TestOnce: of many at once, at several processes, one gets in.
func TestOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := rand.Text()
	made := b.hs256(t, crmSecret, b.claims("crm", claims{"jti": id}))
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for range cap(results) {
		wg.Go(func() {
			_, _, err := b.Redeem(t.Context(), made)
			results <- err
		})
	}
	wg.Wait()
	let := 0
	for range cap(results) {
		switch err := <-results; {
		case err == nil:
			let++
		case !errors.Is(err, adminlink.ErrUsed):
			t.Error(err)
		}
	}
	if let != 1 {
		t.Errorf("%d got in", let)
	}
	// The id counts, not the token; and it is the issuer's own.
	if _, _, err := b.Redeem(t.Context(), b.hs256(t, crmSecret, b.claims("crm", claims{"jti": id, "sub": "another"}))); !errors.Is(err, adminlink.ErrUsed) {
		t.Errorf("another token of the same id: %v", err)
	}
	if _, _, err := b.Redeem(t.Context(), b.hs256(t, shopSecret, b.claims("shop", claims{"jti": id}))); err != nil {
		t.Errorf("another issuer's token of the same id: %v", err)
	}
	// A token that was refused for another reason is not used up, and nothing stays for ever.
	client := b.redis.Client(t)
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 2 {
		t.Errorf("%v", keys)
	}
	for _, key := range keys {
		if ttl := client.TTL(t.Context(), key).Val(); ttl < 2*time.Minute || ttl > time.Hour || !strings.HasPrefix(key, "rohrpost:adminlink:") {
			t.Errorf("%s ends in %v", key, ttl)
		}
	}
}

// TestNoRedis: without Redis nobody gets in.
func TestNoRedis(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := b.Redeem(ctx, b.hs256(t, crmSecret, b.claims("crm", nil))); !errors.Is(err, adminlink.ErrUnasked) {
		t.Errorf("%v", err)
	}
}

func TestIssuers(t *testing.T) {
	t.Parallel()
	ec := "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n"
	for want, i := range map[string]adminlink.Issuer{
		"has no key":         {Name: "a"},
		"has both":           {Name: "a", Secret: secret.New(crmSecret), PublicKey: ec},
		"of 31 octets":       {Name: "a", Secret: secret.New(crmSecret[:31])},
		"not in PEM":         {Name: "a", PublicKey: "x"},
		"cannot be read":     {Name: "a", PublicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
		"of type *ecdsa":     {Name: "a", PublicKey: ec},
		"twice, or has no n": {Secret: secret.New(crmSecret)},
	} {
		_, err := adminlink.New(adminlink.Options{Redis: redis.NewClient(&redis.Options{}), Issuers: []adminlink.Issuer{i}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), crmSecret[:31]) {
			t.Errorf("%s: %v", want, err)
		}
	}
	good := adminlink.Issuer{Name: "a", Secret: secret.New(crmSecret)}
	if _, err := adminlink.New(adminlink.Options{Issuers: []adminlink.Issuer{good, good}}); err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, good), crmSecret) {
		t.Errorf("twice: %v", err)
	}
}
