package smtp

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A StepName is what a step of Check looks at.
type StepName string

// The steps. With implicit TLS, encryption and certificate come before the
// banner, else after EHLO.
const (
	StepSettings    StepName = "settings"    // whether a connection can be tried with them
	StepResolve     StepName = "resolve"     // the server's name
	StepConnect     StepName = "connect"     // which resolves the name once more
	StepBanner      StepName = "banner"      //
	StepEHLO        StepName = "ehlo"        //
	StepEncryption  StepName = "encryption"  // STARTTLS and handshake; passes without doing anything if there is none
	StepCertificate StepName = "certificate" // only with encryption
	StepMethods     StepName = "methods"     // of logging in, offered at the end
	StepLogin       StepName = "login"       // only with authentication
	StepSender      StepName = "sender"      // MAIL FROM, only with CheckOptions.From
	StepRecipient   StepName = "recipient"   // RCPT TO, only with CheckOptions.From and To
)

// A Step of Check has passed if it is neither skipped nor has a failure. The
// other fields are what it has found.
type Step struct {
	Name    StepName
	Took    time.Duration
	Skipped bool // an earlier step failed
	Failure *failure.Failure

	Addresses  []netip.Addr // resolve: of the name
	Remote     string       // connect: ip:port
	STARTTLS   bool         // ehlo: is offered
	TLSVersion string       // encryption: "TLS 1.3"; "": none, or the certificate has failed
	Names      []string     // certificate: names and addresses it is for, also if it has failed
	NotBefore  time.Time    // certificate: from when it is valid, also if it has failed
	NotAfter   time.Time    // certificate: until when
	Mechanisms []string     // methods: in capitals, in the server's order
}

// CheckOptions say how far Check goes.
type CheckOptions struct {
	// From is asked for with MAIL FROM. Empty: neither sender nor recipient is.
	From string
	// To is asked for with RCPT TO. Empty: no recipient is.
	To string
	// Resolver looks the server's name up, for the step of that name only. Nil:
	// net.DefaultResolver.
	Resolver Resolver
	// Seen is called with each step that was done, before the next one begins. Nil:
	// nobody looks.
	Seen func(Step)
}

// A Resolver is a *net.Resolver.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Check goes through everything that comes before a mail, step by step, on a
// connection of its own, for which it takes a lease of the Guard, and sends none. The
// first step that fails is the last one done. Each has its time of Options.Timeouts; ctx bounds them all.
func (t *Transport) Check(ctx context.Context, s Server, o CheckOptions) []Step {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	k := &check{transport: t, server: &s, options: &o}
	defer k.end()
	var steps []Step
	for _, p := range k.plan() {
		step := Step{Name: p.name, Skipped: k.failure != nil}
		if !step.Skipped {
			start := time.Now()
			k.failure = p.run(ctx, &step)
			step.Failure, step.Took = k.failure, time.Since(start)
			if o.Seen != nil {
				o.Seen(step)
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// A check is one call of Check.
type check struct {
	transport *Transport
	server    *Server
	options   *CheckOptions

	lease        Lease // nil: none yet
	conn         *conn // nil: not connected
	release      func() bool
	failure      *failure.Failure // of the last step
	certificates []*x509.Certificate
	unverified   *failure.Failure // of the certificates
}

// A part of the plan writes what it finds into its step.
type part struct {
	name StepName
	run  func(context.Context, *Step) *failure.Failure
}

func (k *check) plan() []part {
	plan := []part{{StepSettings, k.settings}, {StepResolve, k.resolve}, {StepConnect, k.connect}}
	greeting := []part{{StepBanner, k.banner}, {StepEHLO, k.hello}}
	secure := []part{{StepEncryption, k.encrypt}, {StepCertificate, k.certificate}}
	switch k.server.Encryption {
	case TLS:
		plan = append(append(plan, secure...), greeting...)
	case None:
		plan = append(append(plan, greeting...), secure[0])
	default:
		plan = append(append(plan, greeting...), secure...)
	}
	plan = append(plan, part{StepMethods, k.methods})
	if k.server.Authentication {
		plan = append(plan, part{StepLogin, k.login})
	}
	if k.options.From != "" {
		plan = append(plan, part{StepSender, k.sender})
		if k.options.To != "" {
			plan = append(plan, part{StepRecipient, k.recipient})
		}
	}
	return plan
}

// encrypt leaves a certificate that does not verify to the next step.
// methods are those of the last EHLO: the one before STARTTLS is forgotten (RFC
// 3207 §4.2).
// login logs in as open does: a refused access token is replaced once, on a new
// connection.
// ask sends one command with an address.
// close ends the transaction, if one was begun, and the connection.
