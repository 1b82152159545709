package smtp_test

import (
	"context"
	"net"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestClearReplyOnTLSPort: Exim turns a connection away in clear, also on port 465; a
// greeting in clear means that the port is none for TLS.
func TestClearReplyOnTLSPort(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		category string
		class    failure.Class
		scope    failure.Scope
	}{
		"421 Too many concurrent SMTP connections; please try again later.\r\n": {"rate_limited", failure.Throttle, failure.ScopeServer},
		"421-Too many\r\n421 connections\r\n":                                   {"rate_limited", failure.Throttle, failure.ScopeServer},
		"554 No SMTP service here\r\n":                                          {"reputation_blocked", failure.Config, failure.ScopeServer},
		"220 mail.example.org ESMTP\r\n":                                        {"tls_failure", failure.Config, failure.ScopeAccount},
		"* OK IMAP4rev1 ready\r\n":                                              {"tls_failure", failure.Config, failure.ScopeAccount},
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			sender, err := smtp.New(smtp.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() {
					defer func() { _ = server.Close() }()
					hello := make([]byte, 4096)
					_, _ = server.Read(hello)
					_, _ = server.Write([]byte(line))
					for {
						if _, err := server.Read(hello); err != nil {
							return
						}
					}
				}()
				return client, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer sender.Close()
			out, err := sender.Send(t.Context(), smtp.Server{Account: "acme", Version: "1", Host: "mail.example.org", Port: 465, Encryption: smtp.TLS},
				transport.Mail{ReversePath: "max@acme.example", Recipients: rcpt[:1], Body: []byte(body)}, func(context.Context, []int) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			f := out.Verdicts[0].Failure
			if f.Category != want.category || f.Class != want.class || f.Scope() != want.scope {
				t.Errorf("%s %s, scope %s: %v", f.Class, f.Category, f.Scope(), f)
			}
		})
	}
}
