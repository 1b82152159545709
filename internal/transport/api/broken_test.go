package api_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/api"
	"github.com/rohrpost/rohrpost/internal/transport/graph"
)

// TestBroken breaks requests at every point. What matters: nothing is uncertain
// before the last octet is out, and everything after it.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		answer apitest.Answer // one that is silent ends the context
		want   string
		taken  int
	}{
		{"cut after the mail", apitest.Cut(), "api 0 uncertain", 0},
		{"cut after the mail, taken", apitest.Cut().Taking(), "api 0 uncertain", 1},
		{"silent after the mail, taken, until the context ends", apitest.Silence().Taking(), "api 0 uncertain", 1},
		{"504, taken", apitest.Reply(504, "").Taking(), "api 504 uncertain", 1},
		{"504 that says it is an error of another kind", apitest.GraphError(504, "serviceNotAvailable", "later"), "api 504 uncertain", 0},
		{"accepted, then cut", apitest.Reply(202, `{"id":"1"}`).Taking().ThenCut(), "2yz", 1},
		{"refused, then cut", apitest.Reply(413, "too large, much too large").ThenCut(), "api 413 permanent", 0},
		{"502", apitest.Reply(502, "<html>Bad Gateway</html>"), "api 502 transient", 0},
		{"redirect", apitest.Reply(307, "").With("Location", "https://elsewhere.example/"), "api 307 transient", 0},
		{"redirect that would become a GET", apitest.Reply(302, "").With("Location", "/"), "api 302 transient", 0},
		{"protocol error", apitest.Reply(200, "").With("Content-Length", "9999").Taking(), "2yz", 1},
	} {
		for _, http1 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/1 %v", c.name, http1), func(t *testing.T) {
				t.Parallel()
				both(t, apitest.Options{HTTP1: http1}, api.Options{}, func(t *testing.T, h *harness) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					h.On(c.answer)
					if strings.HasPrefix(c.name, "silent") {
						h.On(c.answer.Doing(cancel))
					}
					if got := brief(h.sendMail(ctx, t, mailTo())); got != c.want {
						t.Errorf("verdicts %q, want %q", got, c.want)
					}
					if h.Requests() != 1 || len(h.Mails()) != c.taken || len(h.armed) != 1 {
						t.Errorf("%d requests, %d taken, armed %d times", h.Requests(), len(h.Mails()), len(h.armed))
					}
				})
			})
		}
	}
}

// TestBrokenInTheMiddle loses the connection while a large mail is on its way.
func TestBrokenInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, http1 := range []bool{false, true} {
		for name, a := range map[string]apitest.Answer{
			"cut": apitest.Cut().Early(), "silence": apitest.Silence().Early(), "413": apitest.Reply(413, "").Early(),
		} {
			t.Run(fmt.Sprintf("%s, HTTP/1 %v", name, http1), func(t *testing.T) {
				t.Parallel()
				h := services()["gmail"](t, apitest.Options{HTTP1: http1}, api.Options{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if name == "silence" {
					a = a.Doing(cancel)
				}
				h.On(a)
				m := mailTo()
				m.Body = append(m.Body, strings.Repeat("0123456789abcde\r\n", 30<<20/17)...)
				got := brief(h.sendMail(ctx, t, m))
				if refused := name == "413" && got == "api 413 permanent"; got != "data 0 transient" && !refused {
					t.Errorf("verdicts %q", got)
				}
				if len(h.Mails()) != 0 {
					t.Error("half a mail was taken")
				}
			})
		}
	}
}

// TestNotReached fails before there is a connection.
func TestNotReached(t *testing.T) {
	t.Parallel()
	h := services()["graph"](t, apitest.Options{}, api.Options{})
	for _, c := range []struct {
		name     string
		change   func(*api.Options, *api.Mailbox)
		stage    failure.Stage
		category string
		class    failure.Class
	}{
		{"refused", func(o *api.Options, mb *api.Mailbox) { mb.BaseURL = "https://127.0.0.1:1" }, failure.StageConnect, "connection_refused", failure.Transient},
		{"no such host", func(o *api.Options, mb *api.Mailbox) {
			o.HTTPClient = dialing(func(context.Context) error { return &net.DNSError{Err: "no such host", IsNotFound: true} })
		}, failure.StageConnect, "dns_failure", failure.Transient},
		{"no answer", func(o *api.Options, mb *api.Mailbox) {
			o.Timeout = time.Millisecond
			o.HTTPClient = dialing(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}, failure.StageConnect, "timeout", failure.Transient},
		{"unknown authority", func(o *api.Options, mb *api.Mailbox) { o.HTTPClient = &http.Client{Transport: &http.Transport{}} }, failure.StageTLS, "certificate_invalid", failure.Config},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, mb := api.Options{HTTPClient: h.Client()}, h.mailbox
			c.change(&o, &mb)
			tr, err := graph.New(o)
			if err != nil {
				t.Fatal(err)
			}
			out, err := tr.Send(t.Context(), mb, mailTo(), h.arm)
			if err != nil {
				t.Fatal(err)
			}
			f := out.Verdicts[0].Failure
			if f == nil || f.Stage != c.stage || f.Category != c.category || f.Class != c.class {
				t.Errorf("failure %v of class %s", f, f.Class)
			}
			if strings.Contains(f.Diagnostic, "/users/") {
				t.Errorf("the URL is in %q", f.Diagnostic)
			}
		})
	}
	if h.Requests() != 0 {
		t.Errorf("%d requests", h.Requests())
	}
}

// dialing is a client that cannot connect.
func dialing(fail func(context.Context) error) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return nil, fail(ctx)
	}}}
}

// TestTimeout ends a request that the server does not answer.
func TestTimeout(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{Timeout: 2 * time.Second}, func(t *testing.T, h *harness) {
		h.Once(apitest.Answer{}, apitest.Silence().Taking())
		if got := brief(h.send(t)); got != "2yz" { // and the connection is there
			t.Errorf("verdicts %q", got)
		}
		f := h.send(t)[0].Failure
		if f == nil || f.Stage != failure.StageAPI || f.Class != failure.Uncertain || !errors.Is(f, context.DeadlineExceeded) {
			t.Errorf("failure %v", f)
		}
	})
}
