package worker

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/notice"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
)

// Options of a Worker. Redis and Store are required; the zero value of every other
// option is its default.
type Options struct {
	// Redis is a client of redis.NewClient, NewFailoverClient or NewClusterClient. Give
	// it ContextTimeoutEnabled, and a PoolSize of Concurrency + 10. Close leaves it open.
	Redis redis.UniversalClient
	// Store knows the accounts.
	Store resolver.Store
	// Accounts goes through the accounts of Store that log in with OAuth2. A refresh
	// token that no mail has used for a week is then used once, before its provider lets
	// it expire. Nil: it is not.
	Accounts func(context.Context) iter.Seq2[*resolver.Account, error]

	ErrorLog *errorlog.Log  // takes failed attempts. Nil: one with the defaults
	Logger   zerolog.Logger // zero: silent
	// ShowRecipients writes whole addresses into Logger and the default ErrorLog. False:
	// masked, "a***@example.org".
	ShowRecipients bool

	Concurrency int // mails at a time; 0: 50
	Servers     int // fetchers that share Concurrency, for a Redis that is far away; 0: 1
	// AttemptTimeout bounds an attempt; at most 25 min. 0: 12 min, as a server may take
	// ten to answer the final dot (RFC 5321 §4.5.3.2.6).
	AttemptTimeout time.Duration
	// ShutdownTimeout is how long Run waits for mails under way when it ends. 0: 2 min.
	ShutdownTimeout time.Duration
	Retry           Retry
	// Keep is how long the ledger remembers an ended mail; it must be that of the
	// producers. 0: 48 h.
	Keep time.Duration
	// FailedBytes is how much of a tenant's failed mails is kept for a retry, in bytes.
	// 0: 1 GiB.
	FailedBytes int64

	// MessageIDDomain is the right side of the Message-IDs that the producer has left
	// open. Empty: the domain of the sender.
	MessageIDDomain string
	// HELO is the name under which servers see this one. Empty: the host's, if it has a
	// domain, else "localhost".
	HELO string
	// Connections of an account that sets no limit of its own. 0: 4.
	Connections int
	// TenantConnections is the most that accounts may set that are not Trusted. 0: any
	// number.
	TenantConnections int
	// AllowNetworks are those of servers that accounts may name which are not Trusted.
	// Empty: public addresses alone. DenyNetworks goes before it.
	AllowNetworks, DenyNetworks []netip.Prefix
	// AllowPorts are the ports of those servers. Empty: 465, 587, 588 and 2525.
	AllowPorts []int

	// Microsoft and Google are the applications by which accounts log in with OAuth2
	// that name none of their own.
	Microsoft, Google Application
	// Identities are the keys (AGE-SECRET-KEY-1…, one a line) that open OAuth2 tokens,
	// and mails that a producer has sealed. Empty: both wait.
	Identities rohrpost.Secret
	// Recipients are the keys (age1…) that tokens are sealed for. Empty: those of
	// Identities.
	Recipients []string

	// Notices are mails to administrators whose accounts stop.
	Notices Notices
}

// Notices are mails that tell a tenant's administrator (resolver.Candidates.TenantAdmin)
// once for each cause that an account of the tenant or of a user has stopped, and the
// operators that the platform's has. They leave through the platform's account.
type Notices struct {
	// Send puts a mail of the platform into the queue, as producer.Client.Send does: a
	// message whose id is there already is no error. Nil: nobody is told; package server
	// fills it in.
	Send func(context.Context, rohrpost.Message) error
	// Off says that nobody is told, by a server neither.
	Off bool
	// After is how long an account must not work before that is told. 0: one minute.
	After time.Duration
	// Operators are addresses that get the operators' notices beside
	// resolver.Candidates.PlatformAdmin.
	Operators []string
	// PublicURL is where people reach the pages, as "https://mail.example.com/rohrpost".
	// Empty: a notice has no link, and says in words where to look.
	PublicURL string
	Language  string // de or en. Empty: en
}

// Retry is when a deferred mail is tried again, and when no more. A zero field is its
// default; a negative Jitter, Greylist or Uncertain is none.
type Retry struct {
	First  time.Duration // delay after the first attempt; 1 min
	Factor float64       // of each further delay; 2
	Jitter float64       // ± this share of the delay; 0.2
	Max    time.Duration // largest delay before jitter; 2 h
	GiveUp time.Duration // after the mail was due, unless it has its own expiry; 24 h

	Greylist  time.Duration // least delay after greylisting; 5 min
	Uncertain time.Duration // pause before a mail is sent again that may have been taken; 15 min
}

// Application is one that is registered with a provider of OAuth2.
type Application struct {
	ClientID     string
	ClientSecret rohrpost.Secret
}

// engine are the options as the wiring takes them.
func (o *Options) engine() engine.Options {
	return engine.Options{
		Redis: o.Redis, Store: o.Store, All: o.Accounts, ErrorLog: o.ErrorLog, Logger: o.Logger, ShowRecipients: o.ShowRecipients,
		Concurrency: o.Concurrency, Servers: o.Servers, Connections: o.Connections, TenantConnections: o.TenantConnections,
		AttemptTimeout: o.AttemptTimeout, ShutdownTimeout: o.ShutdownTimeout, Retry: delivery.Retry(o.Retry),
		Keep: o.Keep, FailedBytes: o.FailedBytes, HELO: o.HELO, Outgoing: outgoing.Options{MessageIDDomain: o.MessageIDDomain},
		Guard:     netguard.Options{Allow: o.AllowNetworks, Deny: o.DenyNetworks, Ports: o.AllowPorts},
		Microsoft: route.Application(o.Microsoft), Google: route.Application(o.Google),
		Seal:    seal.Options{Recipients: o.Recipients, Identities: o.Identities},
		Notices: o.Notices.options(),
	}
}

// options are the notices as the wiring takes them.
func (n *Notices) options() notice.Options {
	o := notice.Options{Send: n.Send, Operators: n.Operators, PublicURL: n.PublicURL, Language: n.Language, Gather: n.After}
	if n.Off {
		o.Send = nil
	}
	return o
}
