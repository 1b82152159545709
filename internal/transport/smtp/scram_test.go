package smtp_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// scramServer offers SCRAM alone and answers the client's first message with what
// answer makes of its nonce, again and again.
func scramServer(t *testing.T, answer func(nonce string) string) smtp.Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewScanner(c)
				_, _ = fmt.Fprint(c, "220 scram\r\n")
				for in.Scan() {
					switch {
					case strings.HasPrefix(in.Text(), "EHLO"):
						_, _ = fmt.Fprint(c, "250-scram\r\n250 AUTH SCRAM-SHA-256\r\n")
					case strings.HasPrefix(in.Text(), "AUTH"):
						_, _ = fmt.Fprint(c, "334 \r\n")
					default:
						first, _ := base64.StdEncoding.DecodeString(in.Text())
						_, nonce, _ := strings.Cut(string(first), ",r=")
						nonce, _, _ = strings.Cut(nonce, ",")
						_, _ = fmt.Fprintf(c, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(answer(nonce))))
					}
				}
			}()
		}
	}()
	return smtp.Server{
		Account: "a", Version: "1", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: smtp.None,
		Authentication: true, Username: "max", Password: secret.New("hunter2-canary"), AllowPlaintextLogin: true,
	}
}

// TestCostlyLogin: no number from a server sizes the work of a login.
func TestCostlyLogin(t *testing.T) {
	t.Parallel()
	salt := base64.StdEncoding.EncodeToString([]byte("salt"))
	for name, tt := range map[string]struct {
		answer   func(nonce string) string
		category string
	}{
		"two thousand million":   {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=2000000000" }, "config_invalid"},
		"one too many":           {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=100001" }, "config_invalid"},
		"beyond 64 bits":         {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=99999999999999999999999" }, "config_invalid"},
		"in a field of its own":  {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=4096,i=2000000000" }, "config_invalid"},
		"again and again":        {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=100000" }, "config_invalid"},
		"below zero":             {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=-2000000000" }, ""},
		"no number":              {func(n string) string { return "r=" + n + "x,s=" + salt + ",i=many" }, ""},
		"a challenge of 6 KiB":   {func(n string) string { return "r=" + n + strings.Repeat("x", 6<<10) + ",s=" + salt + ",i=4096" }, ""},
		"a nonce without an end": {func(n string) string { return "r=" + n + strings.Repeat("x", 1<<20) + ",s=" + salt + ",i=4096" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := scramServer(t, tt.answer)
			tr, err := smtp.New(smtp.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.Close)
			start := time.Now()
			out, err := tr.Send(t.Context(), server, transport.Mail{JobID: "1", ReversePath: "a@acme.example", Recipients: []string{"b@acme.example"}, Body: []byte("x")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			f := out.Verdicts[0].Failure
			if f == nil || f.Stage != "auth" || tt.category != "" && f.Category != tt.category || f.NeedsPerson() {
				t.Errorf("%v", f)
			}
			if tt.category != "" && !strings.Contains(f.Hint("en"), "100,000") {
				t.Errorf("nobody is told what to do: %s", f.Hint("en"))
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
