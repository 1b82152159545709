package oauth

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// SignInOptions are those of a SignIn.
type SignInOptions struct {
	Credentials Credentials // Grant and RefreshToken are not read
	// RedirectURL is where the provider sends the browser back to, as the provider
	// knows it.
	RedirectURL string
	HTTPClient  *http.Client // as in Options
	// Verifier is that of the same sign-in in another process; zero: a new one.
	Verifier secret.String
}

// A SignIn is a mailbox that somebody is connecting, by the authorization code flow
// (RFC 6749 §4.1) with PKCE (RFC 7636). It holds the verifier: the redirect must come
// back to it, or to a sign-in that was made with the same verifier.
type SignIn struct {
	requester   requester
	credentials Credentials
	redirectURL string
	verifier    secret.String
}

// A Connection is how a sign-in ended.
type Connection struct {
	RefreshToken secret.String    // zero if it failed
	Mailbox      string           // who has signed in, as the provider says; "": it does not say
	Failure      *failure.Failure // nil: connected
}

// NewSignIn checks the options; it does no I/O. The error wraps failure.ErrSettings.
func NewSignIn(o SignInOptions) (*SignIn, error) {
	c := o.Credentials
	c.Grant = Delegated
	if err := settings(c.problems()); err != nil {
		return nil, err
	}
	if o.Verifier.IsZero() {
		o.Verifier = secret.New(oauth2.GenerateVerifier())
	}
	return &SignIn{requester: newRequester(o.HTTPClient, 0), credentials: c, redirectURL: o.RedirectURL, verifier: o.Verifier}, nil
}

// Verifier is what proves that a redirect is redeemed by whoever began the sign-in.
func (s *SignIn) Verifier() secret.String { return s.verifier }

// URL is the address of the provider's sign-in page. state comes back with the
// redirect; nobody must be able to guess it (RFC 6749 §10.12).
func (s *SignIn) URL(state string) string {
	c := s.credentials
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(s.verifier.Reveal())}
	if c.Subject != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", c.Subject))
	}
	if c.Provider == Google {
		// Google gives a refresh token only with both.
		options = append(options, oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("prompt", "consent"))
	} else {
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	}
	return c.config(s.redirectURL).AuthCodeURL(state, options...)
}

// A Redirect is what the provider sends the browser back with (RFC 6749 §4.1.2).
type Redirect struct {
	State              string
	Code               secret.String // zero: refused
	Error, Description string
}

// ParseRedirect reads the query of a redirect.
func ParseRedirect(q url.Values) Redirect {
	return Redirect{
		State: q.Get("state"), Code: secret.New(q.Get("code")),
		Error: q.Get("error"), Description: q.Get("error_description"),
	}
}

// Finish redeems the code that a redirect has brought. A code is good once. Whether
// the redirect is this sign-in's is for the caller to know, by its state.
func (s *SignIn) Finish(ctx context.Context, r Redirect) Connection {
	if r.Error != "" || r.Code.IsZero() {
		refused := refusal{Error: cmp.Or(r.Error, "invalid_request"), Description: r.Description}
		return Connection{Failure: refused.failure()}
	}
	g, f := s.requester.code(ctx, s.credentials, s.redirectURL, r.Code, s.verifier)
	switch {
	case f != nil:
		return Connection{Failure: f}
	case g.refresh.IsZero():
		return Connection{Failure: refusal{Error: "consent_required", Description: "the provider gave no refresh token"}.failure()}
	case s.credentials.Provider == Google && g.scope != "" && !strings.Contains(" "+g.scope+" ", " "+s.credentials.scope()+" "):
		// A person can untick single permissions.
		return Connection{Failure: refusal{Error: "consent_required", Description: "the permission to send was not given"}.failure()}
	}
	return Connection{RefreshToken: g.refresh, Mailbox: mailbox(g.idToken, s.credentials.ClientID)}
}

// failure is that of a refusal which came, or might have come, by redirect.
func (r refusal) failure() *failure.Failure {
	return failure.Classify(failure.Cause{
		Stage: failure.StageToken, Reply: failure.Reply{Code: http.StatusBadRequest, Lines: r.lines()}, APICode: r.Error,
	})
}
