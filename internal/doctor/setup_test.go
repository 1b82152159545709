package doctor_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

const password = "kanarienvogel"

// address is what every name resolves to here.
type address string

func (a address) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr(string(a))}, nil
}

// told is a Checker that has been told what to find.
type told []smtp.Step

func (steps told) Check(_ context.Context, _ smtp.Server, o smtp.CheckOptions) []smtp.Step {
	for _, s := range steps {
		if o.Seen != nil && !s.Skipped {
			o.Seen(s)
		}
	}
	return steps
}

func open(t *testing.T, o doctor.Options) *doctor.Doctor {
	t.Helper()
	o.Resolver = address("192.0.2.7")
	d, err := doctor.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A clinic is a doctor, and a scripted server that says it is host.
type clinic struct {
	*smtptest.Server
	*doctor.Doctor
	request doctor.Request
}

func clinicOf(t *testing.T, host string) *clinic {
	t.Helper()
	ca := smtptest.NewAuthority(t)
	c := &clinic{Server: smtptest.Start(t, smtptest.Options{TLS: ca.Valid(host), Username: "max@acme.example", Password: password})}
	transport, err := smtp.New(smtp.Options{RootCAs: ca.Pool(), Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, c.Addr())
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.Close)
	// A certificate of a day is what the test server has.
	c.Doctor = open(t, doctor.Options{Checker: transport, Now: func() time.Time { return time.Now().Add(-30 * 24 * time.Hour) }})
	c.request = doctor.Request{
		From: "max@acme.example", To: "kunde@example.org", Language: "en",
		Server: smtp.Server{
			Account: "acme", Host: host, Port: 587, Encryption: smtp.STARTTLS,
			Authentication: true, Username: "max@acme.example", Password: secret.New(password),
		},
	}
	return c
}

func step(t *testing.T, r doctor.Report, name smtp.StepName) doctor.Step {
	t.Helper()
	i := slices.IndexFunc(r.Steps, func(s doctor.Step) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no step %s in %+v", name, r)
	}
	return r.Steps[i]
}
