package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"
)

// An Authority issues certificates that nobody else trusts.
type Authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority. What goes wrong fails the test.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{tb: tb, key: newKey(tb)}
	template := template("smtptest authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	a.cert = issue(tb, template, template, a.key, a.key)
	return a
}

// Pool trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Valid is a server with a good certificate for these names and addresses.
func (a *Authority) Valid(hosts ...string) *tls.Config {
	return a.server(template(hosts...))
}

// Expired is a server whose certificate ended an hour ago.
func (a *Authority) Expired(hosts ...string) *tls.Config {
	t := template(hosts...)
	t.NotBefore, t.NotAfter = t.NotBefore.Add(-time.Hour), t.NotBefore
	return a.server(t)
}

// SelfSigned is a server whose certificate comes from no authority.
func SelfSigned(tb testing.TB, hosts ...string) *tls.Config {
	tb.Helper()
	key, t := newKey(tb), template(hosts...)
	return config(issue(tb, t, t, key, key), key)
}

func (a *Authority) server(t *x509.Certificate) *tls.Config {
	a.tb.Helper()
	key := newKey(a.tb)
	return config(issue(a.tb, t, a.cert, key, a.key), key)
}

func config(c *x509.Certificate, key *ecdsa.PrivateKey) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{c.Raw}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12,
	}
}

func template(hosts ...string) *x509.Certificate {
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: fmt.Sprint(hosts)},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func issue(tb testing.TB, t, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, parentKey)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
