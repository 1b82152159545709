package dkim_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/transport/dkim"
)

// key is a new one of acme.example.
func key(t testing.TB, kind, selector string) *dkim.Key {
	t.Helper()
	file, err := dkim.Generate(kind)
	if err != nil {
		t.Fatal(err)
	}
	k, err := dkim.ParseKey("acme.example", selector, file)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func inPEM(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	good := rsaKey(t, 2048)
	der, err := x509.MarshalPKCS8PrivateKey(good)
	pkcs8 := inPEM("PRIVATE KEY", der, err)
	public, err := x509.MarshalPKIXPublicKey(good.Public())
	publicPEM := inPEM("PUBLIC KEY", public, err)
	pkcs1 := inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(good), nil)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err = x509.MarshalPKCS8PrivateKey(ec)
	ecPEM := inPEM("PRIVATE KEY", der, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	short := rsaKey(t, 1024)
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES"}, Bytes: []byte("x")})
	for name, tt := range map[string]struct {
		domain, selector string
		file             []byte
		want             string // of the error; empty: none
	}{
		"PKCS #8":            {"acme.example", "s1", pkcs8, ""},
		"PKCS #1":            {"acme.example", "s1", pkcs1, ""},
		"behind its public":  {"acme.example", "s1", append(slices.Clip(publicPEM), pkcs8...), ""},
		"with text around":   {"acme.example", "s1", append([]byte("# a comment\n"), pkcs8...), ""},
		"selector with dots": {"acme.example", "2026.mail-1", pkcs8, ""},
		"nothing":            {"acme.example", "s1", nil, "no private key"},
		"public key":         {"acme.example", "s1", publicPEM, "no private key"},
		"short":              {"acme.example", "s1", inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short), nil), "1024 bits"},
		"elliptic curve":     {"acme.example", "s1", ecPEM, "RSA and Ed25519 alone"},
		"SEC 1":              {"acme.example", "s1", inPEM("EC PRIVATE KEY", sec1, err), "neither PKCS #8"},
		"OpenSSH":            {"acme.example", "s1", inPEM("OPENSSH PRIVATE KEY", []byte("x"), nil), "openssl pkey"},
		"encrypted":          {"acme.example", "s1", inPEM("ENCRYPTED PRIVATE KEY", []byte("x"), nil), "encrypted"},
		"encrypted, PKCS #1": {"acme.example", "s1", encrypted, "encrypted"},
		"broken":             {"acme.example", "s1", inPEM("PRIVATE KEY", []byte("x"), nil), "asn1"},
		"no domain":          {"", "s1", pkcs8, "is no domain"},
		"one label":          {"localhost", "s1", pkcs8, "is no domain"},
		"a semicolon":        {"acme.example;x=1", "s1", pkcs8, "is no domain"},
		"an address":         {"a@acme.example", "s1", pkcs8, "is no domain"},
		"no selector":        {"acme.example", "", pkcs8, "selector"},
		"underscore":         {"acme.example", "_domainkey", pkcs8, "selector"},
		"line break":         {"acme.example", "s1\r\nBcc", pkcs8, "selector"},
		"long":               {strings.Repeat("a.", 120) + "example", "s1", pkcs8, "at most 253"},
	} {
		k, err := dkim.ParseKey(tt.domain, tt.selector, tt.file)
		if tt.want == "" {
			if err != nil || k.Kind() != dkim.RSA || k.Record() != "v=DKIM1; k=rsa; p="+base64.StdEncoding.EncodeToString(public) {
				t.Errorf("%s: %v, %v", name, k, err)
			}
			continue
		}
		if k != nil || !errors.Is(err, dkim.ErrKey) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{dkim.RSA, dkim.Ed25519} {
		file, err := dkim.Generate(kind)
		if err != nil {
			t.Fatal(err)
		}
		k, err := dkim.ParseKey("Bücher.Example", "s1", file)
		if err != nil || k.Kind() != kind || k.Name() != "s1._domainkey.xn--bcher-kva.example" {
			t.Fatalf("%v, %v", k, err)
		}
		// The strings of the zone file are those of the record.
		_, strs, _ := strings.Cut(k.Zone(), "(")
		joined := ""
		for i, s := range strings.Split(strs, `"`) {
			if i%2 == 1 {
				joined += s
			}
			if len(s) > 255 {
				t.Errorf("a string of %d octets", len(s))
			}
		}
		if joined != k.Record() || !strings.HasPrefix(k.Zone(), k.Name()+". IN TXT (") {
			t.Errorf("%q is not %q", k.Zone(), k.Record())
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb+" "+verb, k, *k); got != k.Name()+" "+k.Name() {
				t.Errorf("%s prints %q", verb, got)
			}
		}
	}
	if _, err := dkim.Generate("dsa"); !errors.Is(err, dkim.ErrKey) {
		t.Error(err)
	}
	// RFC 8463 §A.2
	seed, _ := base64.StdEncoding.DecodeString("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed))
	k, err := dkim.ParseKey("football.example.com", "brisbane", inPEM("PRIVATE KEY", der, err))
	if err != nil || k.Record() != "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" {
		t.Errorf("%v, %v", k.Record(), err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	k, other, ed := key(t, dkim.RSA, "s1"), key(t, dkim.RSA, "s1"), key(t, dkim.Ed25519, "s2")
	_, p, _ := strings.Cut(k.Record(), "p=")
	for name, tt := range map[string]struct {
		record string
		want   error
	}{
		"its own":          {k.Record(), nil},
		"no version":       {"p=" + p, nil},
		"no spaces":        {strings.ReplaceAll(k.Record(), " ", ""), nil},
		"folded":           {" v = DKIM1;\tk=rsa ; s=* ; h=sha1:sha256; t=s; n=a note; p=" + p[:20] + " \t" + p[20:] + ";", nil},
		"missing":          {" ", dkim.ErrMissing},
		"another":          {other.Record(), dkim.ErrOtherKey},
		"of another kind":  {ed.Record(), dkim.ErrOtherKey},
		"revoked":          {"v=DKIM1; p=", dkim.ErrRevoked},
		"no key":           {"v=DKIM1; k=rsa", dkim.ErrMalformed},
		"no base64":        {"v=DKIM1; p=" + p[:21], dkim.ErrMalformed},
		"truncated":        {"v=DKIM1; p=" + p[:20], dkim.ErrOtherKey},
		"no tags":          {"hello", dkim.ErrMalformed},
		"twice":            {k.Record() + "; p=" + p, dkim.ErrMalformed},
		"another version":  {"v=DKIM2; p=" + p, dkim.ErrMalformed},
		"version last":     {"p=" + p + "; v=DKIM1", dkim.ErrMalformed},
		"another record":   {"v=spf1 -all", dkim.ErrMalformed},
		"another service":  {"v=DKIM1; s=tlsrpt; p=" + p, dkim.ErrUnfit},
		"SHA-1":            {"v=DKIM1; h=sha1; p=" + p, dkim.ErrUnfit},
		"testing":          {"v=DKIM1; t=s:y; p=" + p, dkim.ErrTesting},
		"testing, another": {"t=y; " + strings.TrimPrefix(other.Record(), "v=DKIM1; "), dkim.ErrOtherKey},
	} {
		if err := k.Compare(tt.record); !errors.Is(err, tt.want) || (err != nil && strings.Contains(err.Error(), p[:20])) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if err := ed.Compare(ed.Record()); err != nil {
		t.Error(err)
	}
	if err := ed.Compare("v=DKIM1; p=" + p); !errors.Is(err, dkim.ErrOtherKey) {
		t.Errorf("no k= is RSA: %v", err)
	}
}
