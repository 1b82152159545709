package web

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web/dashboard"
	"github.com/rohrpost/rohrpost/internal/web/mailpages"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/signinpages"
)

// Options of New. OpenRedis, Redis, ErrorLog, Problems and Mails are required.
type Options struct {
	// OpenRedis makes a client that nobody else closes: asynqmon closes its own.
	OpenRedis func() (redis.UniversalClient, error)
	// Redis is asked by /readyz. It is not closed.
	Redis    redis.UniversalClient
	ErrorLog problempages.ErrorLog
	// Problems finds what keeps mails from leaving.
	Problems *problems.Service
	// Counts and Approvals are told on the overview. Nil: they are not.
	Counts    overview.Counts
	Approvals overview.Approvals
	Mails     dashboard.Mails // what the buttons of the dashboard act through
	Accounts  Accounts        // nil: /api/accounts/ is not found
	// MailService is asked by the pages of mails. Nil: there are none.
	MailService mailpages.Mails
	// Service is what the pages of accounts ask, beside Accounts. Nil: there are none.
	Service *accounts.Service
	// MaxConnections is the most that an account may have at a time which is not the
	// platform's; 0: any number.
	MaxConnections int
	Metrics        http.Handler   // nil: /metrics is not found
	Users          []configs.User // none, and no OIDC: who has the Link is the operator, or Socket says otherwise
	// Socket says that nobody but the operator can connect: without users every
	// request is theirs.
	Socket bool
	// TrustedProxies are believed what they write into X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// MetricsToken opens /metrics, as a Bearer token. Empty: operators alone read it.
	MetricsToken secret.String
	// Links are the applications that bring people by signed links.
	Links []configs.Link
	// ForwardAuth is the proxy that names users, of Users, in a header.
	ForwardAuth configs.ForwardAuth
	// OIDC is where operators sign in; it needs PublicURL.
	OIDC configs.OIDC
	// PublicURL is where people reach the pages, with BasePath; empty: not known.
	PublicURL string
	// EmbedOrigins are the sites that may show the pages in a frame.
	EmbedOrigins []string
	// BasePath is in front of all addresses, without a slash at its end: "/mail".
	BasePath string
	Language string // for whom the browser names no known one: en (also if empty) or de
	// States are those of accounts and servers, as the process knows them. Nil: none.
	States func() []*breaker.State
	Keep   time.Duration // that of the ledger; 0: its default
	// Retention of the error log, for the words on the pages. Zero: 24 h.
	Retention time.Duration
	Version   string // shown in the foot of the pages
	Logger    zerolog.Logger
	Now       func() time.Time // nil: time.Now
	// Extra are further pages for operators, by path: "/mails/". Each sets its own
	// security headers, and sees the path below its own.
	Extra map[string]http.Handler
}

func (o *Options) cookies() signin.Cookies {
	return signin.Cookies{BasePath: o.BasePath, TLS: strings.HasPrefix(o.PublicURL, "https://"), Embedded: len(o.EmbedOrigins) > 0}
}

func (o *Options) signIn() signin.Options {
	return signin.Options{
		Users: o.Users, Links: o.Links, ForwardAuth: o.ForwardAuth, OIDC: o.OIDC, RedirectURL: strings.TrimRight(o.PublicURL, "/") + signinpages.Callback,
		Redis: o.Redis, Socket: o.Socket, MetricsToken: o.MetricsToken, Proxies: o.TrustedProxies, Cookies: o.cookies(), Now: o.Now, Logger: o.Logger,
	}
}
