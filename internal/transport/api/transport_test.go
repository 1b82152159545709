package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/api"
	"github.com/rohrpost/rohrpost/internal/transport/graph"
)

func TestSend(t *testing.T) {
	t.Parallel()
	for _, http1 := range []bool{false, true} {
		good := func(token string) bool { return token == newToken }
		both(t, apitest.Options{HTTP1: http1, Token: good}, api.Options{}, func(t *testing.T, h *harness) {
			if got := brief(h.send(t)); got != "2yz" {
				t.Fatalf("verdicts %q", got)
			}
			mails := h.Mails()
			if len(mails) != 1 || h.Requests() != 1 {
				t.Fatalf("%d mails in %d requests", len(mails), h.Requests())
			}
			if diff := cmp.Diff(rcpt, mails[0].Recipients()); diff != "" {
				t.Error(diff)
			}
			want := strings.Replace(mailText, "hello\r\n", "hello\r\nBcc: <hidden@x.example>\r\n", 1)
			if diff := cmp.Diff(want, string(mails[0].Raw)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([][]int{{0, 1, 2}}, h.armed); diff != "" {
				t.Errorf("armed: %s", diff)
			}
			if diff := cmp.Diff([]string{""}, h.rejected); diff != "" {
				t.Errorf("tokens: %s", diff)
			}
		})
	}
}

// TestPartialRetry sends only to those who have not got it yet.
func TestPartialRetry(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
		h.send(t, "b@x.example", "hidden@x.example")
		h.send(t, "hidden@x.example")
		var got []string
		for _, m := range h.Mails() {
			got = append(got, fmt.Sprint(m.To, m.Cc, m.Bcc))
		}
		if diff := cmp.Diff([]string{"[b@x.example] [] [hidden@x.example]", "[] [] [hidden@x.example]"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestBadRecipient fails those that are no addresses, and sends to the others.
func TestBadRecipient(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
		if got := brief(h.send(t, "a@x.example", "a\r\nBcc: b@x.example", "b@x.example")); got != "2yz, rcpt 0 permanent, 2yz" {
			t.Errorf("verdicts %q", got)
		}
		if diff := cmp.Diff([][]int{{0, 2}}, h.armed); diff != "" {
			t.Errorf("armed: %s", diff)
		}
		if got := brief(h.send(t, "nobody")); got != "rcpt 0 permanent" || h.Requests() != 1 || len(h.armed) != 1 {
			t.Errorf("%q after %d requests, armed %d times", got, h.Requests(), len(h.armed))
		}
	})
}

func TestToken(t *testing.T) {
	t.Parallel()
	expired := &failure.Failure{Stage: failure.StageToken, Class: failure.Config, Category: "oauth_expired"}
	for _, c := range []struct {
		name     string
		tokens   []string
		err      error
		want     string
		rejected []string
		requests int
	}{
		{"good", []string{newToken}, nil, "2yz", []string{""}, 1},
		{"refused, then good", []string{oldToken, newToken}, nil, "2yz", []string{"", oldToken}, 2},
		{"refused twice", []string{oldToken, oldToken, newToken}, nil, "api 401 config", []string{"", oldToken}, 2},
		{"source fails", nil, expired, "token 0 config", []string{""}, 0},
		{"source fails with another error", nil, io.ErrUnexpectedEOF, "token 0 transient", []string{""}, 0},
		{"refused, then the source fails", []string{oldToken}, expired, "token 0 config", []string{"", oldToken}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			both(t, apitest.Options{Token: func(token string) bool { return token == newToken }}, api.Options{}, func(t *testing.T, h *harness) {
				h.tokens, h.tokenErr = c.tokens, c.err
				verdicts := h.send(t)
				if got := brief(verdicts); got != c.want {
					t.Errorf("verdicts %q, want %q", got, c.want)
				}
				if f := verdicts[0].Failure; errors.Is(c.err, expired) && f != expired {
					t.Errorf("the source's failure became %v", f)
				}
				if diff := cmp.Diff(c.rejected, h.rejected); diff != "" {
					t.Error(diff)
				}
				if h.Requests() != c.requests || len(h.armed) != min(c.requests, 1) {
					t.Errorf("%d requests, armed %d times", h.Requests(), len(h.armed))
				}
				if f := verdicts[0].Failure; c.requests == 2 && f != nil && f.Category != "oauth_expired" {
					t.Errorf("category %s", f.Category)
				}
			})
		})
	}
}

func TestArm(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
		h.armErr = errArm
		if _, err := h.transport.Send(t.Context(), h.mailbox, mailTo(), h.arm); err != errArm { //nolint:errorlint // unchanged
			t.Errorf("error %v", err)
		}
		if h.Requests() != 0 {
			t.Error("sent although arm said no")
		}
	})
}

// TestClient takes what it needs of a client and leaves the client as it is.
func TestClient(t *testing.T) {
	t.Parallel()
	srv := apitest.Graph(t, apitest.Options{})
	client := *srv.Client()
	client.Timeout = 1
	h := setup(t, srv, graph.New, api.Options{HTTPClient: &client})
	h.mailbox.BaseURL += "/"
	if got := brief(h.send(t)); got != "2yz" {
		t.Errorf("verdicts %q", got)
	}
	if client.Timeout != 1 || client.CheckRedirect != nil {
		t.Error("the client was changed")
	}
}

// TestLimit sends ten mails at once from one mailbox.
func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = 3
	full, free := make(chan struct{}), make(chan struct{})
	var (
		mu        sync.Mutex
		now, most int
	)
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		if now += by; now > most {
			if most = now; most == limit {
				close(full)
			}
		}
	}
	h := services()["graph"](t, apitest.Options{}, api.Options{})
	h.mailbox.MaxRequests = limit
	h.On(apitest.Answer{}.Doing(func() {
		count(1)
		<-free
		count(-1)
	}))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { h.send(t) })
	}
	<-full
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.transport.Send(ctx, h.mailbox, mailTo(), h.arm); !errors.Is(err, context.Canceled) {
		t.Errorf("while the others are under way: %v", err)
	}
	close(free)
	wg.Wait()
	if most != limit || len(h.Mails()) != 10 {
		t.Errorf("%d requests at a time for %d mails", most, len(h.Mails()))
	}
}

// TestSecrets lets the server echo the token in every way, and looks for it.
func TestSecrets(t *testing.T) {
	t.Parallel()
	echo := "Bearer " + oldToken + " is no good, " + oldToken + "!"
	for _, answer := range []apitest.Answer{
		apitest.GraphError(401, "InvalidAuthenticationToken", echo, oldToken),
		apitest.GmailError(403, oldToken, echo, oldToken),
		apitest.Reply(400, echo),
		apitest.Reply(202, `{"id":"`+echo+`"}`).With("Request-Id", echo),
		apitest.Cut(),
	} {
		both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
			h.tokens = []string{oldToken}
			h.On(answer)
			v := h.send(t)[0]
			said := fmt.Sprintf("%v %+v %#v %s", v, v, v, h.log.String())
			if v.Failure != nil {
				said += fmt.Sprintf("%v %+v", v.Failure, v.Failure.Unwrap())
			}
			if strings.Contains(said, oldToken) {
				t.Errorf("the token is in %s", said)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
		for name, change := range map[string]func(*api.Mailbox){
			"no address":        func(mb *api.Mailbox) { mb.Address = "" },
			"a path":            func(mb *api.Mailbox) { mb.Address = "../admin" },
			"no token":          func(mb *api.Mailbox) { mb.Token = nil },
			"no TLS":            func(mb *api.Mailbox) { mb.BaseURL = strings.Replace(mb.BaseURL, "https", "http", 1) },
			"no host":           func(mb *api.Mailbox) { mb.BaseURL = "https:///v1.0" },
			"not even a URL":    func(mb *api.Mailbox) { mb.BaseURL = "https://a b" },
			"a path of its own": func(mb *api.Mailbox) { mb.BaseURL = "/v1.0" },
			"another protocol":  func(mb *api.Mailbox) { mb.BaseURL = "file:///etc/passwd" },
		} {
			mb := h.mailbox
			change(&mb)
			out, err := h.transport.Send(t.Context(), mb, mailTo(), h.arm)
			if err != nil {
				t.Fatal(err)
			}
			f := out.Verdicts[2].Failure
			if f == nil || f.Class != failure.Config || !errors.Is(f, failure.ErrSettings) || strings.Contains(f.Error()+f.Unwrap().Error(), "\n") {
				t.Errorf("%s: %v", name, f)
			}
		}
		if len(h.rejected)+len(h.armed)+h.Requests() != 0 {
			t.Errorf("went on: %d tokens, armed %d times, %d requests", len(h.rejected), len(h.armed), h.Requests())
		}
	})
	if _, err := graph.New(api.Options{Timeout: -1}); err == nil {
		t.Error("a negative timeout is taken")
	}
}

// TestMalformed never gets as far as a token.
func TestMalformed(t *testing.T) {
	t.Parallel()
	both(t, apitest.Options{}, api.Options{}, func(t *testing.T, h *harness) {
		m := mailTo()
		m.Body = []byte("Subject: no end")
		if got := brief(h.sendMail(t.Context(), t, m)); got != "worker 0 permanent" || len(h.rejected) != 0 {
			t.Errorf("%q, asked for %d tokens", got, len(h.rejected))
		}
	})
}
