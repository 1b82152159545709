package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/oauth2"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

const (
	pendingFor = 10 * time.Minute
	maxPending = 1000
)

// ErrTooMany says that too many people are connecting accounts at this moment.
var ErrTooMany = errors.New("too many accounts are being connected at this moment")

// ConnectorOptions are those of a Connector.
type ConnectorOptions struct {
	HTTPClient *http.Client  // as in Options
	Timeout    time.Duration // as in Options
	// Session names the browser session of a request: the redirect must come
	// from the one that Begin was told. Without it somebody could send another
	// person to the sign-in page, and have that person's mailbox. Nil: it is
	// not checked (on the loopback interface).
	Session func(*http.Request) string
	// Done is told, once, how each sign-in ended, and stores what it brought. Its
	// error is shown as a failure, not in words.
	Done   func(context.Context, Connection) error
	Now    func() time.Time // nil: time.Now
	Logger zerolog.Logger
}

// A Connection is how a sign-in ended.
type Connection struct {
	Credentials Credentials      // with the new RefreshToken, unless it failed
	Mailbox     string           // who has signed in, as the provider says; "": it does not say
	Failure     *failure.Failure // nil: connected
}

// A Connector connects mailboxes by the authorization code flow (RFC 6749 §4.1)
// with PKCE (RFC 7636). It is the http.Handler of the redirect. It is safe for
// concurrent use. What is pending lives in this process: the redirect must come
// back to it.
type Connector struct {
	requester requester
	session   func(*http.Request) string
	done      func(context.Context, Connection) error
	now       func() time.Time
	log       zerolog.Logger

	mu      sync.Mutex
	pending map[string]pending // by the first half of the state
}

// pending is a person who is signing in.
type pending struct {
	credentials Credentials
	redirectURL string
	session     string
	proof       secret.String // second half of the state
	verifier    secret.String
	ends        time.Time
}

// NewConnector makes a connector; it does no I/O.
func NewConnector(o ConnectorOptions) (*Connector, error) {
	if o.Done == nil {
		return nil, errors.New("oauth: nobody takes the connection")
	}
	k := &Connector{
		requester: newRequester(o.HTTPClient, o.Timeout), session: o.Session, done: o.Done,
		now: o.Now, log: o.Logger, pending: make(map[string]pending),
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.session == nil {
		k.session = func(*http.Request) string { return "" }
	}
	return k, nil
}

// Begin gives the address of the provider's sign-in page. It is good for ten
// minutes, once. redirectURL is where the provider sends the browser back to:
// the Connector as the provider knows it. session is the browser session that
// asked, "" without Options.Session.
//
// The error wraps failure.ErrSettings, or is ErrTooMany.
func (k *Connector) Begin(c Credentials, redirectURL, session string) (string, error) {
	c.Grant = Delegated
	if err := settings(c.problems()); err != nil {
		return "", err
	}
	p := pending{
		credentials: c, redirectURL: redirectURL, session: session,
		proof: secret.New(rand.Text()), verifier: secret.New(oauth2.GenerateVerifier()), ends: k.now().Add(pendingFor),
	}
	name := rand.Text()
	if !k.keep(name, p) {
		return "", ErrTooMany
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(p.verifier.Reveal())}
	if c.Subject != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", c.Subject))
	}
	if c.Provider == Google {
		// Google gives a refresh token only with both.
		options = append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"))
	} else {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return c.config(redirectURL).AuthCodeURL(name+"."+p.proof.Reveal(), options...), nil
}

func (k *Connector) keep(name string, p pending) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.pending) >= maxPending {
		now := k.now()
		maps.DeleteFunc(k.pending, func(_ string, p pending) bool { return !now.Before(p.ends) })
	}
	if len(k.pending) >= maxPending {
		return false
	}
	k.pending[name] = p
	return true
}

// take ends what is pending under a state, if it is this session's. Half of the
// state finds it and half proves it, in a time that tells nothing.
func (k *Connector) take(state, session string) (pending, bool) {
	name, proof, _ := strings.Cut(state, ".")
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.pending[name]
	if !ok || !p.proof.Equal(secret.New(proof)) || subtle.ConstantTimeCompare([]byte(p.session), []byte(session)) != 1 {
		return pending{}, false
	}
	delete(k.pending, name)
	return p, k.now().Before(p.ends)
}

// finish redeems what the redirect brought.
func (k *Connector) finish(ctx context.Context, p pending, code secret.String, refused refusal) Connection {
	end := Connection{Credentials: p.credentials}
	if refused.Error != "" || code.IsZero() {
		refused.Error = cmp.Or(refused.Error, "invalid_request")
		end.Failure = refused.failure()
		return end
	}
	g, f := k.requester.code(ctx, p.credentials, p.redirectURL, code, p.verifier)
	switch {
	case f != nil:
		end.Failure = f
	case g.refresh.IsZero():
		end.Failure = refusal{Error: "consent_required", Description: "the provider gave no refresh token"}.failure()
	case p.credentials.Provider == Google && g.scope != "" && !strings.Contains(" "+g.scope+" ", " "+p.credentials.scope()+" "):
		// A person can untick single permissions.
		end.Failure = refusal{Error: "consent_required", Description: "the permission to send was not given"}.failure()
	default:
		end.Credentials.RefreshToken = g.refresh
		end.Mailbox = mailbox(g.idToken, p.credentials.ClientID)
	}
	return end
}

// failure is that of a refusal which came, or might have come, by redirect.
func (r refusal) failure() *failure.Failure {
	return failure.Classify(failure.Cause{
		Stage: failure.StageToken, Reply: failure.Reply{Code: http.StatusBadRequest, Lines: r.lines()}, APICode: r.Error,
	})
}
