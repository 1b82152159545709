package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func (k *check) settings(context.Context, *Step) *failure.Failure {
	if err := k.server.check(); err != nil {
		return k.fail(failure.StageWorker, err)
	}
	return nil
}

func (k *check) resolve(ctx context.Context, step *Step) *failure.Failure {
	ctx, cancel := context.WithTimeout(ctx, k.transport.options.Timeouts.Connect)
	defer cancel()
	name, _ := k.server.hostname() // settings has been here
	addresses, err := k.options.Resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return k.fail(failure.StageConnect, err)
	}
	for _, a := range addresses {
		step.Addresses = append(step.Addresses, a.Unmap())
	}
	return nil
}

func (k *check) connect(ctx context.Context, step *Step) *failure.Failure {
	var err error
	if k.lease, err = k.server.guard().Take(ctx, k.transport.limit(k.server)); err != nil {
		if f, ok := errors.AsType[*failure.Failure](err); ok {
			return f
		}
		return k.fail(failure.StageWorker, err)
	}
	c, f := k.transport.dial(ctx, k.server)
	if f != nil {
		return f
	}
	k.conn, k.release = c, c.wire.hold(ctx)
	step.Remote = c.wire.RemoteAddr().String()
	return nil
}

func (k *check) banner(context.Context, *Step) *failure.Failure {
	return k.conn.banner(k.transport.options.Timeouts.Banner)
}

func (k *check) hello(_ context.Context, step *Step) *failure.Failure {
	f := k.conn.hello(k.transport.options.HELO, k.transport.options.Timeouts.EHLO)
	step.STARTTLS = k.conn.extensions.starttls
	return f
}

func (k *check) encrypt(ctx context.Context, step *Step) *failure.Failure {
	var f *failure.Failure
	limits, config := &k.transport.options.Timeouts, k.transport.tlsConfig(k.server)
	switch k.server.Encryption {
	case TLS:
		if err := k.conn.encrypt(ctx, config, limits.TLS); err != nil {
			f = k.conn.unencrypted(err)
		}
	case STARTTLS:
		f = k.conn.startTLS(ctx, config, limits)
	}
	if f != nil {
		if e, ok := errors.AsType[*tls.CertificateVerificationError](f); ok {
			k.certificates, k.unverified = e.UnverifiedCertificates, f
			return nil
		}
		return f
	}
	if nc, ok := k.conn.nc.(*tls.Conn); ok {
		state := nc.ConnectionState()
		k.certificates, step.TLSVersion = state.PeerCertificates, tls.VersionName(state.Version)
	}
	return nil
}

func (k *check) certificate(_ context.Context, step *Step) *failure.Failure {
	if len(k.certificates) > 0 {
		leaf := k.certificates[0]
		step.NotBefore, step.NotAfter = leaf.NotBefore, leaf.NotAfter
		for _, name := range leaf.DNSNames {
			step.Names = append(step.Names, k.conn.secrets.Text(name))
		}
		for _, ip := range leaf.IPAddresses {
			step.Names = append(step.Names, ip.String())
		}
	}
	return k.unverified
}

func (k *check) methods(ctx context.Context, step *Step) *failure.Failure {
	if k.server.Encryption == STARTTLS {
		if f := k.hello(ctx, &Step{}); f != nil {
			return f
		}
	}
	for _, name := range k.conn.extensions.mechanisms {
		step.Mechanisms = append(step.Mechanisms, k.conn.secrets.Text(name))
	}
	return nil
}

func (k *check) login(ctx context.Context, _ *Step) *failure.Failure {
	s, limits := k.server, &k.transport.options.Timeouts
	if s.Token == nil {
		return k.conn.login(s, limits.Auth)
	}
	s, f := s.withToken(ctx, secret.String{})
	if f != nil {
		return f
	}
	if f = k.conn.login(s, limits.Auth); f == nil || f.Code/100 != 5 {
		return f
	}
	refused := f
	if s, f = s.withToken(ctx, s.Password); f != nil {
		return f.Following(refused)
	}
	k.close() // there is a lease for one
	c, f := k.transport.connect(ctx, s)
	if f != nil {
		return f
	}
	k.conn, k.release = c, c.wire.hold(ctx)
	return nil
}

func (k *check) sender(context.Context, *Step) *failure.Failure {
	f := k.ask(failure.StageMail, "MAIL FROM", k.options.From, k.transport.options.Timeouts.Mail)
	k.conn.aborted = f == nil
	return f
}

func (k *check) recipient(context.Context, *Step) *failure.Failure {
	return k.ask(failure.StageRcpt, "RCPT TO", k.options.To, k.transport.options.Timeouts.Rcpt)
}

func (k *check) ask(stage failure.Stage, verb, address string, d time.Duration) *failure.Failure {
	c := k.conn
	p, err := newPath(address)
	if err == nil && p.utf8 && !c.extensions.smtputf8 {
		err = failure.ErrNeedsSMTPUTF8
	}
	if err != nil {
		return k.fail(stage, err)
	}
	command := verb + ":<" + p.address + ">"
	if stage == failure.StageMail && c.extensions.smtputf8 && !isASCII(k.options.From+k.options.To) {
		command += " SMTPUTF8"
	}
	if stage == failure.StageMail {
		c.facts.Sender = p.address
	} else {
		c.facts.Recipient = p.address
	}
	r, err := c.roundTrip(command, d)
	switch {
	case err != nil:
		return c.fail(stage, err)
	case !r.positive():
		return failure.Classify(r.cause(stage, c.host))
	}
	return nil
}

func (k *check) fail(stage failure.Stage, err error) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: stage, Err: err, Host: k.server.Host})
}

// end closes the connection and gives back its lease.
func (k *check) end() {
	k.close()
	if k.lease != nil {
		k.lease.Release()
	}
}

func (k *check) close() {
	c, limits := k.conn, &k.transport.options.Timeouts
	if c == nil {
		return
	}
	k.conn = nil
	defer k.release()
	// Without a banner there is no client to speak with, without an answer no peer.
	c.broken = !c.greeted || k.failure != nil && k.failure.Code == 0
	if c.aborted && !c.broken {
		_, err := c.roundTrip("RSET", limits.Reset)
		c.broken = err != nil
	}
	c.quit(limits.Quit)
}
