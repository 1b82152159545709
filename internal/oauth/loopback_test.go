package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
)

func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, p := range []oauth.Provider{oauth.Microsoft, oauth.Google} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			srv := oauthtest.Start(t, oauthtest.Options{})
			c := oauth.Credentials{Provider: p, ClientID: "client-1", AuthURL: srv.AuthURL(), TokenURL: srv.TokenURL()}
			pages := make(chan string, 1)
			got, err := oauth.Loopback(t.Context(), oauth.LoopbackOptions{Credentials: c, Show: func(u string) error {
				redirect := must(url.Parse(must(url.Parse(u)).Query().Get("redirect_uri")))
				want := map[oauth.Provider]string{oauth.Microsoft: "localhost", oauth.Google: "127.0.0.1"}[p]
				if redirect.Hostname() != want || redirect.Port() == "" || redirect.Path != "" {
					t.Errorf("redirect to %s", redirect)
				}
				go func() {
					pages <- get(t, "http://127.0.0.1:"+redirect.Port()+"/favicon.ico") + get(t, "http://127.0.0.1:"+redirect.Port()+"/?state=x") + get(t, u)
				}()
				return nil
			}})
			if err != nil || got.Mailbox != "max@acme.example" || got.Credentials.RefreshToken.IsZero() {
				t.Errorf("%+v, %v", got, err)
			}
			if page := <-pages; !strings.HasPrefix(page, "404") || !strings.Contains(page, "Connected") {
				t.Errorf("the browser saw %s", page)
			}
		})
	}
}

func TestLoopbackFails(t *testing.T) {
	t.Parallel()
	srv := oauthtest.Start(t, oauthtest.Options{})
	srv.Deny("access_denied")
	c := oauth.Credentials{Provider: oauth.Google, ClientID: "client-1", AuthURL: srv.AuthURL(), TokenURL: srv.TokenURL()}
	seen := make(chan string, 1)
	_, err := oauth.Loopback(t.Context(), oauth.LoopbackOptions{Credentials: c, Show: func(u string) error {
		go func() { seen <- get(t, u) }()
		return nil
	}})
	if f, ok := errors.AsType[*failure.Failure](err); !ok || f.Category != "oauth_consent" {
		t.Errorf("error %v", err)
	}
	<-seen

	ctx, cancel := context.WithCancel(t.Context())
	_, err = oauth.Loopback(ctx, oauth.LoopbackOptions{Credentials: c, Show: func(string) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for name, o := range map[string]oauth.LoopbackOptions{
		"nobody is shown the address": {Credentials: c},
		"Show fails":                  {Credentials: c, Show: func(string) error { return io.ErrShortWrite }},
		"settings":                    {Show: func(string) error { return nil }},
		"open to the network":         {Credentials: c, Listen: "0.0.0.0:0", Show: func(string) error { return nil }},
		"a name":                      {Credentials: c, Listen: "localhost:0", Show: func(string) error { return nil }},
	} {
		if _, err := oauth.Loopback(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func get(t *testing.T, u string) string {
	resp, err := http.Get(u)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.Status + " " + string(b)
}
