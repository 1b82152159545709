package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// overTLS is the row of small mails by STARTTLS. smtp-sink has none: the sink is a
// process of its own, in Go, for both senders. smtp-source has none either.
func (e *environment) overTLS(ctx context.Context) error {
	sink, err := e.startChild("sink", e.certificate(), e.key())
	if err != nil {
		return err
	}
	c := course{mails: e.mails, connections: e.connections, server: sink}
	if err := e.compare(ctx, "the sink in Go, in clear", c, e.theBarePool(), e.theWorker()); err != nil {
		return err
	}
	c.tls = true
	return e.compare(ctx, "the same with STARTTLS", c, e.theBarePool(), e.theWorker())
}

func (e *environment) certificate() string { return filepath.Join(e.dir, "sink.crt") }
func (e *environment) key() string         { return filepath.Join(e.dir, "sink.key") }

// issue makes the certificate of the sink and the only one that this process trusts.
// It must be called before the first handshake.
func (e *environment) issue() error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sink.example"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 7),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.certificate(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(e.key(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return err
	}
	return os.Setenv("SSL_CERT_FILE", e.certificate())
}
