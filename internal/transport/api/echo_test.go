package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/api"
)

// roundTripper answers in place of a server.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestEcho: neither the answer of a provider nor an error that quotes what came in its
// place shows the access token, the one before included.
func TestEcho(t *testing.T) {
	t.Parallel()
	const first, second = "canary-one-0123456789", "canary-two-9876543210"
	said := func(status int, text string) roundTripper {
		return func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			header := http.Header{"X-Receipt": {text}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		}
	}
	for name, answer := range map[string]roundTripper{
		"refused":   said(403, "no "+first+" / "+second),
		"401 twice": said(401, first+" and "+second),
		"split":     said(400, "canary-\none-0123456789 canary-two-\r\n9876543210"),
		"receipt":   said(202, first),
		"no HTTP at all": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("malformed HTTP response %q", "220 "+first)
		},
		"half an answer": func(*http.Request) (*http.Response, error) {
			return nil, errors.New(`malformed MIME header: missing colon: "` + strings.ToUpper(first) + `"`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := api.Service{
				Name: "test", Path: func(string) string { return "/" }, MaxMail: 1 << 20,
				Encode:  func(header, body []byte) [][]byte { return [][]byte{header, body} },
				Receipt: func(h http.Header, _ []byte) string { return h.Get("X-Receipt") },
				Explain: func(_ http.Header, answer []byte) api.Problem { return api.Problem{Text: string(answer)} },
			}
			tr, err := api.New(service, api.Options{HTTPClient: &http.Client{Transport: answer}})
			if err != nil {
				t.Fatal(err)
			}
			mb := api.Mailbox{Address: "max@acme.example", BaseURL: "https://api.example", Token: func(_ context.Context, rejected secret.String) (secret.String, error) {
				if rejected.IsZero() {
					return secret.New(first), nil
				}
				return secret.New(second), nil
			}}
			mail := transport.Mail{JobID: "1", Recipients: []string{"a@example.org"}, Body: []byte("From: max@acme.example\r\nTo: a@example.org\r\n\r\nx\r\n")}
			out, err := tr.Send(t.Context(), mb, mail, func(context.Context, []int) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			v := out.Verdicts[0]
			text := v.Text
			if v.Failure != nil {
				text += v.Failure.Error()
			}
			low := strings.ToLower(strings.ReplaceAll(text, " / ", ""))
			if strings.Contains(low, "0123456789") || name == "401 twice" && strings.Contains(low, "9876543210") || !strings.Contains(low, "[redacted]") {
				t.Error(text)
			}
		})
	}
}
