package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// Options of a Transport. The zero value is a usable one.
type Options struct {
	// HTTPClient sends the requests. Its Timeout and CheckRedirect are not used:
	// Timeout below is, and no redirect is followed. Nil: http.DefaultClient.
	HTTPClient *http.Client
	// Timeout is for one request, from connecting to the end of the answer. 0: 5 min.
	Timeout time.Duration
	// Now is the clock for a time that a server names. Nil: time.Now.
	Now    func() time.Time
	Logger zerolog.Logger
}

// A Mailbox is what is needed to send from one.
type Mailbox struct {
	Account string // id of the account, for logs
	Address string // of the mailbox
	// Token is asked for the access token: for each mail, and once more if the
	// server refuses it.
	Token transport.TokenSource
	// BaseURL is the https address that the paths of the interface begin at.
	// Empty: the provider's, for all who are in no cloud of their own.
	BaseURL string
	// MaxRequests is how many requests of the account there may be at a time, over all
	// workers; Graph refuses a fifth. 0: 4.
	MaxRequests int
	// Guard counts them. Nil: each process counts its own.
	Guard transport.Guard
}

// guard is the mailbox's, or one that lets everything pass.
func (mb *Mailbox) guard() transport.Guard {
	if mb.Guard == nil {
		return transport.Unguarded{}
	}
	return mb.Guard
}

// usualRequests are those of a mailbox that does not say.
const usualRequests = 4

// A Transport sends mails. Its methods may be called from any goroutine.
type Transport struct {
	service Service
	options Options
	client  *http.Client
	slots   *slots
}

// New checks the options. It connects to nobody.
func New(s Service, o Options) (*Transport, error) {
	if o.Timeout < 0 {
		return nil, fmt.Errorf("%s: Timeout must not be negative", s.Name)
	}
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	client := *cmp.Or(o.HTTPClient, http.DefaultClient)
	client.Timeout = 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Transport{service: s, options: o, client: &client, slots: newSlots()}, nil
}

// Send hands the mail to the provider. Every recipient gets a verdict; whatever
// goes wrong is in there. The mail's reverse-path is not used: the provider takes
// the mailbox. An error means that nothing was sent: it is transport.ErrBusy, the one of
// arm, or of a context that ended while other requests of the mailbox were under way.
func (t *Transport) Send(ctx context.Context, mb Mailbox, m transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	out := transport.Outcome{Verdicts: make([]transport.Verdict, len(m.Recipients))}
	target, err := t.service.target(&mb)
	if err != nil {
		return transport.AllFailed("", len(m.Recipients), local(err, "")), nil
	}
	out.Host = address(target)
	recipients, indexes := addressable(m.Recipients, target.Hostname(), out.Verdicts)
	if len(recipients) == 0 {
		return out, nil
	}
	content, err := t.service.content(m.Text(m.Body == nil), recipients)
	if err != nil {
		give(&out, indexes, transport.Verdict{Failure: local(err, target.Hostname())})
		return out, nil
	}
	limit := cmp.Or(mb.MaxRequests, usualRequests)
	release, err := t.slots.acquire(ctx, target.Host+" "+mb.Address, limit)
	if err != nil {
		return transport.Outcome{}, fmt.Errorf("wait for a %s request: %w", t.service.Name, err)
	}
	defer release()
	lease, err := mb.guard().Take(ctx, limit)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		give(&out, indexes, transport.Verdict{Failure: f})
		return out, nil
	}
	if err != nil {
		return transport.Outcome{}, err
	}
	defer lease.Release()
	r := &request{url: target, content: content}
	verdict, err := t.send(ctx, &mb, r, func() error { return arm(ctx, indexes) })
	if err != nil {
		return transport.Outcome{}, err
	}
	lease.Opened(ctx, refusal(verdict.Failure))
	give(&out, indexes, verdict)
	return out, nil
}

// refusal is a failure that says nothing good of the login; nil: the provider knows it.
func refusal(f *failure.Failure) *failure.Failure {
	if f != nil && (f.Stage != failure.StageAPI || f.NeedsPerson()) {
		return f
	}
	return nil
}

// send is the request, and one more if the access token is refused.
func (t *Transport) send(ctx context.Context, mb *Mailbox, r *request, arm func() error) (transport.Verdict, error) {
	token, f := accessToken(ctx, mb.Token, secret.String{})
	if f != nil {
		return transport.Verdict{Failure: f}, nil
	}
	if err := arm(); err != nil {
		return transport.Verdict{}, err
	}
	v := t.post(ctx, r, token)
	if v.Failure == nil || v.Failure.Code != http.StatusUnauthorized {
		return v, nil
	}
	t.options.Logger.Debug().Str("account", mb.Account).Str("host", r.url.Host).Msg("access token refused, asking for another")
	r.refused = append(r.refused, token)
	if token, f = accessToken(ctx, mb.Token, token); f != nil {
		return transport.Verdict{Failure: f}, nil
	}
	return t.post(ctx, r, token), nil
}

func accessToken(ctx context.Context, source transport.TokenSource, rejected secret.String) (secret.String, *failure.Failure) {
	token, err := source(ctx, rejected)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return secret.String{}, f
	}
	if err != nil {
		return secret.String{}, failure.Classify(failure.Cause{Stage: failure.StageToken, Err: err})
	}
	return token, nil
}

// local is the failure of what is refused here, before any request.
func local(err error, host string) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err, Host: host})
}

func give(out *transport.Outcome, indexes []int, v transport.Verdict) {
	for _, i := range indexes {
		out.Verdicts[i] = v
	}
}
