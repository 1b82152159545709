package oauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/oauth"
)

func TestLoopback(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for p, host := range map[oauth.Provider]string{oauth.Microsoft: "localhost", oauth.Google: "127.0.0.1"} {
		for _, want := range []error{nil, refused} {
			l, err := oauth.ListenLoopback(t.Context(), p, "", func(_ context.Context, r oauth.Redirect) (string, error) {
				if r.State != "right" {
					return "", oauth.ErrNoSignIn
				}
				return "max@acme.example", want
			})
			if err != nil {
				t.Fatal(err)
			}
			redirect := must(url.Parse(l.RedirectURL()))
			if redirect.Hostname() != host || redirect.Port() == "" || redirect.Path != "" {
				t.Errorf("redirect to %s", redirect)
			}
			base, pages := "http://127.0.0.1:"+redirect.Port(), make(chan string, 1)
			go func() {
				pages <- get(t, base+"/favicon.ico") + get(t, base+"/?state=x") + get(t, base+"/?state=right&code=c")
			}()
			err = l.Wait(t.Context())
			l.Close()
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			last := map[bool]string{true: "max@acme.example", false: "could not be stored"}[want == nil]
			if page := <-pages; !strings.HasPrefix(page, "404") || !strings.Contains(page, "unknown") || !strings.Contains(page, last) {
				t.Errorf("the browser saw %s", page)
			}
			if _, err := http.Get(base); err == nil {
				t.Error("it listens still")
			}
		}
	}
}

func TestLoopbackFails(t *testing.T) {
	t.Parallel()
	l, err := oauth.ListenLoopback(t.Context(), oauth.Google, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for name, addr := range map[string]string{"open to the network": "0.0.0.0:0", "a name": "localhost:0", "no port": "127.0.0.1"} {
		if _, err := oauth.ListenLoopback(t.Context(), oauth.Google, addr, nil); err == nil {
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
