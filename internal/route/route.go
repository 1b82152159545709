package route

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/gmail"
	"github.com/rohrpost/rohrpost/internal/transport/graph"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/resolver"
)

// Application is the platform's own at a provider, for accounts that name none.
type Application struct {
	ClientID     string
	ClientSecret resolver.Secret
}

// Options of a Route. Tokens, Guard, Breaker and Leases are required.
type Options struct {
	// Tokens makes the source of access tokens that asks through a client.
	Tokens func(*http.Client) (*oauth.Tokens, error)
	// Guard dials for accounts that tenants have entered.
	Guard *netguard.Guard
	// Breaker knows which accounts are parked.
	Breaker *breaker.Breaker
	// Leases count the connections to SMTP servers. Run renews them.
	Leases *lease.Leases
	// Microsoft and Google are the platform's applications.
	Microsoft, Google Application

	HELO           string // as in smtp.Options
	MaxConnections int    // as in smtp.Options
	// TenantConnections is the most that settings may have which the operator has not
	// written; 0: any number.
	TenantConnections int
	// TestPatience is how long a test waits for a connection that mails give up. 0: 5 s.
	TestPatience time.Duration
	Logger       zerolog.Logger
}

// A Route sends mails. Its methods may be called from any goroutine.
type Route struct {
	options        Options
	trusted, other *lane
}

// A lane is one set of connections.
type lane struct {
	smtp   *smtp.Transport
	graph  *graph.Transport
	gmail  *gmail.Transport
	client *http.Client // of tokens
	tokens *oauth.Tokens
}

// New checks the options. It connects to nobody.
func New(o Options) (*Route, error) {
	if o.Tokens == nil || o.Guard == nil || o.Breaker == nil || o.Leases == nil {
		return nil, errors.New("route: tokens, guard, breaker and leases are required")
	}
	o.TestPatience = cmp.Or(o.TestPatience, 5*time.Second)
	r := &Route{options: o}
	var err error
	if r.trusted, err = r.open(new(net.Dialer).DialContext, &http.Client{Timeout: time.Minute}); err != nil {
		return nil, err
	}
	if r.other, err = r.open(o.Guard.DialContext, o.Guard.HTTPClient()); err != nil {
		return nil, errors.Join(err, r.trusted.close())
	}
	return r, nil
}

func (r *Route) open(dial func(context.Context, string, string) (net.Conn, error), client *http.Client) (*lane, error) {
	o := &r.options
	l := &lane{client: client}
	var err, graphErr, gmailErr, tokensErr error
	l.smtp, err = smtp.New(smtp.Options{HELO: o.HELO, MaxConnections: o.MaxConnections, Logger: o.Logger, Dial: dial})
	l.graph, graphErr = graph.New(graph.Options{HTTPClient: client, Logger: o.Logger})
	l.gmail, gmailErr = gmail.New(gmail.Options{HTTPClient: client, Logger: o.Logger})
	l.tokens, tokensErr = o.Tokens(client)
	if err := errors.Join(err, graphErr, gmailErr, tokensErr); err != nil {
		return nil, fmt.Errorf("route: %w", err)
	}
	return l, nil
}

// api is the interface through which an account sends.
func (l *lane) api(a *resolver.Account) *graph.Transport {
	if a.Transport() == resolver.ViaGmail {
		return l.gmail
	}
	return l.graph
}

func (l *lane) close() error {
	l.smtp.Close()
	return l.tokens.Close()
}

// Run renews the leases of open connections until ctx ends, and gives up connections for
// tests of other processes, too.
func (r *Route) Run(ctx context.Context) {
	var listening sync.WaitGroup
	listening.Go(func() { r.options.Leases.Wanted(ctx, r.yield) })
	r.options.Leases.Run(ctx)
	listening.Wait()
}

// yield gives up a connection of an account.
func (r *Route) yield(account string) {
	r.trusted.smtp.Yield(account)
	r.other.smtp.Yield(account)
}

// Close ends idle connections and waits for requests for tokens.
func (r *Route) Close() error { return errors.Join(r.trusted.close(), r.other.close()) }

// Stats are the connections to SMTP servers at this moment.
func (r *Route) Stats() smtp.Stats {
	a, b := r.trusted.smtp.Stats(), r.other.smtp.Stats()
	return smtp.Stats{Open: a.Open + b.Open, InUse: a.InUse + b.InUse, Idle: a.Idle + b.Idle, Waiting: a.Waiting + b.Waiting}
}

func (r *Route) lane(a *resolver.Account) *lane {
	if a.Trusted {
		return r.trusted
	}
	return r.other
}

// Send hands a mail over through an account: see delivery.Transport.
func (r *Route) Send(ctx context.Context, a *resolver.Account, m transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	l := r.lane(a)
	var out transport.Outcome
	var err error
	if a.Transport() == resolver.ViaSMTP {
		out, err = l.smtp.Send(ctx, r.Server(a), m, arm)
	} else {
		out, err = l.api(a).Send(ctx, r.mailbox(a), m, arm)
	}
	if err != nil {
		return out, fmt.Errorf("%s: %w", a.ID(), err)
	}
	return out, nil
}

// Try is Send for a test mail: over a connection of its own, which logs in anew and
// ends with the mail, and without a ledger. The connection takes the place of one that
// carries mails; if all stay busy for some seconds, the failure is of a *failure.Busy.
// passed is called with each stage that has gone well, as far as the way has any; nil:
// nobody looks.
func (r *Route) Try(ctx context.Context, a *resolver.Account, m transport.Mail, passed func(failure.Stage)) (transport.Outcome, error) {
	arm := func(context.Context, []int) error { return nil }
	if a.Transport() != resolver.ViaSMTP {
		mailbox := r.mailbox(a)
		mailbox.Guard = r.trialGuard(a)
		return r.lane(a).api(a).Send(ctx, mailbox, m, arm)
	}
	server := r.Server(a)
	server.Account, server.Version, server.Once, server.Guard = "test/"+rand.Text(), "1", true, r.trialGuard(a)
	server.Passed = passed
	return r.lane(a).smtp.Send(ctx, server, m, arm)
}

// Server is what the SMTP transport needs to know of an account.
func (r *Route) Server(a *resolver.Account) smtp.Server {
	s := a.Server()
	server := smtp.Server{
		Account: a.ID(), Version: a.Version(), Host: s.Host, Port: s.Port, Encryption: smtp.Encryption(s.Encryption),
		Authentication: s.Authentication, Username: s.Username, Password: s.Password,
		AllowPlaintextLogin: s.AllowPlaintextLogin, MaxConnections: a.Connections(r.options.MaxConnections, r.options.TenantConnections),
		Guard: r.parking(a),
	}
	if a.OAuth2.InUse() {
		c := r.Credentials(a)
		server.Token, server.OwnToken = r.lane(a).tokens.Source(c), !c.Connected()
	}
	return server
}

func (r *Route) mailbox(a *resolver.Account) graph.Mailbox {
	return graph.Mailbox{
		Account: a.ID(), Address: cmp.Or(a.OAuth2.Username, a.Address), Token: r.lane(a).tokens.Source(r.Credentials(a)),
		BaseURL:     cmp.Or(a.OAuth2.Endpoints.API, graphOf(a.OAuth2.Provider, a.OAuth2.Cloud)),
		MaxRequests: a.Connections(r.options.MaxConnections, r.options.TenantConnections),
		Guard:       r.parking(a),
	}
}

// graphOf is Microsoft Graph of a national cloud; "" is the provider's usual one.
func graphOf(provider, cloud string) string {
	if provider != resolver.Microsoft {
		return ""
	}
	return map[string]string{
		"us": "https://graph.microsoft.us/v1.0", "us-dod": "https://dod-graph.microsoft.us/v1.0",
		"china": "https://microsoftgraph.chinacloudapi.cn/v1.0",
	}[cloud]
}

// Credentials are what an account gets its tokens with.
func (r *Route) Credentials(a *resolver.Account) oauth.Credentials {
	o := &a.OAuth2
	c := oauth.Credentials{
		Account: a.ID(), Provider: oauth.Provider(o.Provider), Transport: oauth.Transport(o.Transport),
		Directory: o.Tenant, Cloud: oauth.Cloud(o.Cloud), ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		RefreshToken: o.RefreshToken, ServiceAccountKey: o.ServiceAccount, Subject: o.Username,
		AuthURL: o.Endpoints.Authorize, TokenURL: o.Endpoints.Token,
	}
	// The platform's application is shown to the provider alone, never to an
	// endpoint that a tenant has named.
	if c.ClientID == "" && (a.Trusted || o.Endpoints.Authorize+o.Endpoints.Token == "") {
		platform := r.options.Microsoft
		if o.Provider == resolver.Google {
			platform = r.options.Google
		}
		c.ClientID, c.ClientSecret = platform.ClientID, platform.ClientSecret
	}
	return c
}

// SignIn has somebody connect the mailbox of an account: see oauth.NewSignIn. verifier is
// that of a sign-in which has begun elsewhere; zero: it begins here.
func (r *Route) SignIn(a *resolver.Account, redirectURL string, verifier resolver.Secret) (*oauth.SignIn, error) {
	return oauth.NewSignIn(oauth.SignInOptions{
		Credentials: r.Credentials(a), RedirectURL: redirectURL, HTTPClient: r.lane(a).client, Verifier: verifier,
	})
}

// Check goes through everything up to a mail: see smtp.Transport.Check. Its connection
// is as that of Try. Of an account that sends through an API it is the login alone.
func (r *Route) Check(ctx context.Context, a *resolver.Account, o smtp.CheckOptions) []smtp.Step {
	l := r.lane(a)
	if a.Transport() == resolver.ViaSMTP {
		server := r.Server(a)
		server.Guard = r.trialGuard(a)
		return l.smtp.Check(ctx, server, o)
	}
	start := time.Now()
	_, err := l.tokens.Token(ctx, r.Credentials(a), resolver.Secret{})
	step := smtp.Step{Name: smtp.StepLogin, Took: time.Since(start)}
	if err != nil {
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok {
			f = failure.Classify(failure.Cause{Stage: failure.StageToken, Err: err})
		}
		step.Failure = f
	}
	return []smtp.Step{step}
}

// Forget drops the tokens of an account that is deleted.
func (r *Route) Forget(ctx context.Context, a *resolver.Account) error {
	if !a.OAuth2.InUse() {
		return nil
	}
	return r.lane(a).tokens.Forget(ctx, r.Credentials(a))
}

// Touch uses the refresh tokens that were not used for a week, so that no account
// loses its own by sending nothing. refused is told of those that were refused.
func (r *Route) Touch(ctx context.Context, accounts []*resolver.Account, refused func(*resolver.Account, *failure.Failure)) (int, error) {
	return r.use(ctx, accounts, (*oauth.Tokens).Touch, refused)
}

// Reseal is Touch, and uses also the refresh tokens that are sealed for other keys
// than today's or for no account in particular.
func (r *Route) Reseal(ctx context.Context, accounts []*resolver.Account, refused func(*resolver.Account, *failure.Failure)) (int, error) {
	return r.use(ctx, accounts, (*oauth.Tokens).Reseal, refused)
}

type tokenUse = func(*oauth.Tokens, context.Context, []oauth.Credentials, func(oauth.Credentials, *failure.Failure)) (int, error)

func (r *Route) use(ctx context.Context, accounts []*resolver.Account, touch tokenUse, refused func(*resolver.Account, *failure.Failure)) (int, error) {
	lists, byID := map[*lane][]oauth.Credentials{}, map[string]*resolver.Account{}
	for _, a := range accounts {
		if a.OAuth2.InUse() && a.Unusable == "" {
			lists[r.lane(a)] = append(lists[r.lane(a)], r.Credentials(a))
			byID[a.ID()] = a
		}
	}
	touched := 0
	for l, list := range lists {
		n, err := touch(l.tokens, ctx, list, func(c oauth.Credentials, f *failure.Failure) { refused(byID[c.Account], f) })
		touched += n
		if err != nil {
			return touched, err
		}
	}
	return touched, nil
}
