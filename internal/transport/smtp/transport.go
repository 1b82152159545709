package smtp

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// Options of a Transport. The zero value is a usable one.
type Options struct {
	// HELO is the name for EHLO. Empty: the host name if it has a dot, else the
	// address literal of each connection (RFC 5321 §4.1.3).
	HELO     string
	Timeouts Timeouts
	// MaxConnections is the limit for an account that sets none. 0: 4.
	MaxConnections int
	// MaxOpen is the limit over all accounts. 0: 256.
	MaxOpen int
	// MaxWait is how long Send waits for a connection before it answers with
	// transport.ErrBusy. 0: 250 ms.
	MaxWait time.Duration
	// MaxMails is after how many mails a connection is closed. 0: 100.
	MaxMails int
	// IdleTimeout is how long an unused connection stays. 0: 30 s.
	IdleTimeout time.Duration
	// RootCAs verify certificates. Nil: those of the system.
	RootCAs *x509.CertPool
	// Dial opens connections. Nil: a net.Dialer. TLS is added here.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock by which connections are idle. Nil: time.Now.
	Now    func() time.Time
	Logger zerolog.Logger
}

// Timeouts are per step, each from the start of the step.
type Timeouts struct {
	Connect time.Duration // 0: 30 s
	TLS     time.Duration // 0: 30 s, the handshake
	Banner  time.Duration // 0: 60 s
	EHLO    time.Duration // 0: 60 s, the STARTTLS command too
	Auth    time.Duration // 0: 60 s, each step of it
	Mail    time.Duration // 0: 5 min, RFC 5321 §4.5.3.2.2
	Rcpt    time.Duration // 0: 5 min, §4.5.3.2.3
	Data    time.Duration // 0: 2 min, §4.5.3.2.4
	Block   time.Duration // 0: 3 min, each 64 KiB of the mail, §4.5.3.2.5
	Dot     time.Duration // 0: 10 min, the reply to the final dot, §4.5.3.2.6
	Reset   time.Duration // 0: 10 s
	Quit    time.Duration // 0: 5 s
}

func (t Timeouts) orDefaults() Timeouts {
	return Timeouts{
		Connect: cmp.Or(t.Connect, 30*time.Second),
		TLS:     cmp.Or(t.TLS, 30*time.Second),
		Banner:  cmp.Or(t.Banner, time.Minute),
		EHLO:    cmp.Or(t.EHLO, time.Minute),
		Auth:    cmp.Or(t.Auth, time.Minute),
		Mail:    cmp.Or(t.Mail, 5*time.Minute),
		Rcpt:    cmp.Or(t.Rcpt, 5*time.Minute),
		Data:    cmp.Or(t.Data, 2*time.Minute),
		Block:   cmp.Or(t.Block, 3*time.Minute),
		Dot:     cmp.Or(t.Dot, 10*time.Minute),
		Reset:   cmp.Or(t.Reset, 10*time.Second),
		Quit:    cmp.Or(t.Quit, 5*time.Second),
	}
}

// ErrClosed is returned by Send after Close.
var ErrClosed = errors.New("smtp transport is closed")

// A Transport sends mails. Its methods may be called from any goroutine.
type Transport struct {
	options Options
	pool    *pool
}

// New checks the options. It connects to nobody.
func New(o Options) (*Transport, error) {
	o.Timeouts = o.Timeouts.orDefaults()
	o.MaxConnections = cmp.Or(o.MaxConnections, 4)
	o.MaxOpen = cmp.Or(o.MaxOpen, 256)
	o.MaxWait = cmp.Or(o.MaxWait, 250*time.Millisecond)
	o.MaxMails = cmp.Or(o.MaxMails, 100)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 30*time.Second)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if name, err := os.Hostname(); o.HELO == "" && err == nil && strings.Contains(name, ".") && printable(name) {
		o.HELO = name
	}
	var errs []error
	if !printable(o.HELO) {
		errs = append(errs, fmt.Errorf("HELO %q: only printable ASCII without space", o.HELO))
	}
	if o.MaxConnections < 0 || o.MaxOpen < 0 || o.MaxWait < 0 || o.MaxMails < 0 {
		errs = append(errs, errors.New("MaxConnections, MaxOpen, MaxWait and MaxMails must not be negative"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("smtp transport: %w", err)
	}
	return &Transport{options: o, pool: newPool(&o)}, nil
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Close lets no further mail in, closes idle connections with QUIT (Timeouts.Quit
// at most) and waits for that. Connections in use are closed when their mail is
// done.
func (t *Transport) Close() { t.pool.close() }

// Yield gives up a connection of an account for somebody else who has its lease then:
// an idle one, or the next that has done its mail within two seconds.
func (t *Transport) Yield(account string) { t.pool.yield(account) }

// Stats are the connections at this moment.
type Stats struct {
	Open    int // InUse and Idle
	InUse   int // with a mail, or being opened or closed
	Idle    int
	Waiting int // calls of Send that wait for a connection
}

// Stats are the pool's numbers, for metrics.
func (t *Transport) Stats() Stats { return t.pool.stats() }

// Send hands the mail to the server. Every recipient gets a verdict; whatever
// goes wrong is in there. An error means that nothing was sent: it is
// transport.ErrBusy, the one of arm or of the guard, of a context that ended while
// waiting for a connection, or ErrClosed.
func (t *Transport) Send(ctx context.Context, s Server, m transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	out := transport.Outcome{Host: s.address(), Verdicts: make([]transport.Verdict, len(m.Recipients))}
	if err := s.check(); err != nil {
		failRest(out.Verdicts, failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err, Host: s.Host}))
		return out, nil
	}
	e := newEnvelope(&s, &m, out.Verdicts)
	if len(e.rcpt) == 0 {
		return out, nil
	}
	c, lease, err := t.acquire(ctx, &s)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		failRest(out.Verdicts, f)
		return out, nil
	}
	if err != nil {
		return transport.Outcome{}, err
	}
	done := false // and not after a panic of arm
	defer func() {
		if c != nil {
			c.broken = c.broken || !done
			t.pool.release(c)
		}
	}()
	for reused := c != nil; ; reused = false {
		if c == nil {
			var f *failure.Failure
			if c, f = t.open(ctx, &s, lease); f != nil {
				failRest(out.Verdicts, f)
				return out, nil
			}
		}
		x := &transaction{conn: c, envelope: e, timeouts: &t.options.Timeouts, verdicts: out.Verdicts, reused: reused, passed: s.passed}
		err := x.run(ctx, arm)
		if x.dead { // RFC 5321 §3.8: a server may close at any time
			t.options.Logger.Debug().Str("account", s.Account).Str("job_id", m.JobID).Msg("kept smtp connection was dead, opening a new one")
			_ = c.nc.Close()
			c, lease = nil, c.lease
			continue
		}
		done = true
		if err != nil {
			return transport.Outcome{}, err
		}
		return out, nil
	}
}

// acquire gives an idle connection, or a lease to open one.
func (t *Transport) acquire(ctx context.Context, s *Server) (*conn, Lease, error) {
	w := &waiter{account: s.Account, version: s.Version, limit: t.limit(s), until: time.Now().Add(t.options.MaxWait)}
	for {
		c, err := t.pool.acquire(ctx, w)
		if c != nil || err != nil {
			return c, nil, err
		}
		lease, err := s.guard().Take(ctx, w.limit)
		if err == nil {
			return nil, lease, nil
		}
		busy := errors.Is(err, transport.ErrBusy)
		if others := t.pool.decline(s.Account, busy); !busy || !others {
			return nil, nil, err
		}
	}
}

// open uses a lease. One with which no connection came is given back.
func (t *Transport) open(ctx context.Context, s *Server, lease Lease) (*conn, *failure.Failure) {
	c, f := t.enter(ctx, s)
	lease.Opened(ctx, f)
	if f != nil {
		t.pool.drop(s.Account, nil, lease)
		return nil, f
	}
	c.lease = lease
	t.pool.opened(s.Account)
	return c, nil
}

// failRest gives f to every recipient that has no failure yet.
func failRest(verdicts []transport.Verdict, f *failure.Failure) {
	for i := range verdicts {
		if verdicts[i].Failure == nil {
			verdicts[i].Failure = f
		}
	}
}
