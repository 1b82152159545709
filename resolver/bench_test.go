package resolver_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// BenchmarkFile resolves against a file of 10,000 accounts, from all cores.
func BenchmarkFile(b *testing.B) {
	var text strings.Builder
	text.WriteString("platform: {address: a@platform.example, smtp: {host: h.example}}\ntenants:\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "  t%d:\n    account: {address: info@t%d.example, smtp: {host: h.example, password: pw}}\n"+
			"    users: {max: {first_name: Max, account: {address: max@t%d.example, smtp: {host: h.example, password: pw}}}}\n", i, i, i)
	}
	path := filepath.Join(b.TempDir(), "accounts.yaml")
	write(b, path, text.String())
	f, err := resolver.LoadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("reload", func(b *testing.B) {
		for b.Loop() {
			if err := f.Reload(); err != nil {
				b.Fatal(err)
			}
		}
	})
	r, err := resolver.New(resolver.Options{Store: f})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("resolve", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				s, err := r.Resolve(b.Context(), resolver.Request{
					Tenant: fmt.Sprintf("t%d", i%5000), User: rohrpost.User{ID: "max"}, Origin: rohrpost.Manual,
				})
				if err != nil || s.Account.Level != resolver.User {
					b.Error(s.Account, err)
				}
			}
		})
	})
}

func BenchmarkResolve(b *testing.B) {
	r, err := resolver.New(resolver.Options{Store: fixed(all())})
	if err != nil {
		b.Fatal(err)
	}
	req := byMax()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(b.Context(), req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVersion(b *testing.B) {
	a := tenant()
	a.SMTP = resolver.SMTP{Host: "smtp.acme.example", Port: 465, Encryption: resolver.TLS, Password: resolver.NewSecret("hunter2")}
	b.ReportAllocs()
	for b.Loop() {
		_ = a.Version()
	}
}
