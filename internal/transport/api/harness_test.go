package api_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/apitest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/api"
	"github.com/rohrpost/rohrpost/internal/transport/gmail"
	"github.com/rohrpost/rohrpost/internal/transport/graph"
)

const (
	mailText = "From: <max@acme.example>\r\nTo: <a@x.example>, <b@x.example>\r\nSubject: hello\r\n\r\nHello.\r\n.a line with a dot\r\n"
	oldToken = "old-secret"
	newToken = "new-secret"
)

var rcpt = []string{"a@x.example", "b@x.example", "hidden@x.example"}

// A harness is a transport, the scripted server that it talks to, what arm was
// told, and the log.
type harness struct {
	*apitest.Server
	transport *api.Transport
	mailbox   api.Mailbox
	tokens    []string // to give, one after the other; the last one stays
	tokenErr  error    // instead of a token, when there is none left
	armErr    error
	log       bytes.Buffer

	mu       sync.Mutex
	rejected []string // what the source was told, call by call
	armed    [][]int
}

// services are the two of them.
func services() map[string]func(*testing.T, apitest.Options, api.Options) *harness {
	return map[string]func(*testing.T, apitest.Options, api.Options) *harness{
		"graph": func(t *testing.T, o apitest.Options, ao api.Options) *harness {
			return setup(t, apitest.Graph(t, o), graph.New, ao)
		},
		"gmail": func(t *testing.T, o apitest.Options, ao api.Options) *harness {
			return setup(t, apitest.Gmail(t, o), gmail.New, ao)
		},
	}
}

// both runs a test with each of the two.
func both(t *testing.T, o apitest.Options, ao api.Options, test func(t *testing.T, h *harness)) {
	t.Helper()
	for name, start := range services() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, o, ao))
		})
	}
}

func setup(t *testing.T, srv *apitest.Server, build func(api.Options) (*api.Transport, error), o api.Options) *harness {
	t.Helper()
	h := &harness{Server: srv, tokens: []string{newToken}}
	if o.HTTPClient == nil {
		o.HTTPClient = srv.Client()
	}
	o.Logger = zerolog.New(&h.log)
	var err error
	if h.transport, err = build(o); err != nil {
		t.Fatal(err)
	}
	h.mailbox = api.Mailbox{Account: "acme", Address: "max@acme.example", Token: h.token, BaseURL: srv.URL()}
	return h
}

func (h *harness) token(_ context.Context, rejected secret.String) (secret.String, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rejected = append(h.rejected, rejected.Reveal())
	if len(h.tokens) == 0 {
		return secret.String{}, h.tokenErr
	}
	token := h.tokens[0]
	if len(h.tokens) > 1 || h.tokenErr != nil {
		h.tokens = h.tokens[1:]
	}
	return secret.New(token), nil
}

func (h *harness) arm(_ context.Context, accepted []int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed = append(h.armed, accepted)
	return h.armErr
}

// send sends the usual mail and wants no error.
func (h *harness) send(t *testing.T, recipients ...string) []transport.Verdict {
	t.Helper()
	return h.sendMail(t.Context(), t, mailTo(recipients...))
}

func mailTo(recipients ...string) transport.Mail {
	if len(recipients) == 0 {
		recipients = rcpt
	}
	return transport.Mail{JobID: "1", ReversePath: "max@acme.example", Recipients: recipients, Body: []byte(mailText)}
}

func (h *harness) sendMail(ctx context.Context, t *testing.T, m transport.Mail) []transport.Verdict {
	t.Helper()
	out, err := h.transport.Send(ctx, h.mailbox, m, h.arm)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	if len(out.Verdicts) != len(m.Recipients) {
		t.Fatalf("%d verdicts for %d recipients", len(out.Verdicts), len(m.Recipients))
	}
	if want := strings.TrimPrefix(h.URL(), "https://"); !strings.HasPrefix(want, out.Host) {
		t.Errorf("host %q, want that of %q", out.Host, want)
	}
	return out.Verdicts
}

// brief is "2yz" or "api 504 uncertain", once for those that follow each other.
func brief(verdicts []transport.Verdict) string {
	var out []string
	for _, v := range verdicts {
		switch f := v.Failure; {
		case f == nil && v.Code/100 == 2:
			out = append(out, "2yz")
		case f == nil:
			out = append(out, strconv.Itoa(v.Code))
		default:
			out = append(out, string(f.Stage)+" "+strconv.Itoa(f.Code)+" "+string(f.Class))
		}
	}
	return strings.Join(slices.Compact(out), ", ")
}

var errArm = errors.New("the ledger says no")
