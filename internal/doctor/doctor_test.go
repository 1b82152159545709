package doctor_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// healthy are the steps of a server that is well.
func healthy() told {
	return told{
		{Name: smtp.StepSettings},
		{Name: smtp.StepResolve, Took: 12 * time.Millisecond, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")}},
		{Name: smtp.StepConnect, Took: 31 * time.Millisecond, Remote: "192.0.2.7:587"},
		{Name: smtp.StepBanner, Took: 40 * time.Millisecond},
		{Name: smtp.StepEHLO, Took: 33 * time.Millisecond, STARTTLS: true},
		{Name: smtp.StepEncryption, Took: 80 * time.Millisecond, TLSVersion: "TLS 1.3"},
		{Name: smtp.StepCertificate, Names: []string{"mail.example", "smtp.example"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(61*24*time.Hour + time.Hour)},
		{Name: smtp.StepMethods, Took: 20 * time.Millisecond, Mechanisms: []string{"PLAIN", "LOGIN"}},
		{Name: smtp.StepLogin, Took: 1310 * time.Millisecond},
		{Name: smtp.StepSender, Took: 30 * time.Millisecond},
		{Name: smtp.StepRecipient, Took: 12 * time.Second},
	}
}

func request(lang string) doctor.Request {
	return doctor.Request{Language: lang, Server: smtp.Server{
		Host: "mail.example", Port: 587, Encryption: smtp.STARTTLS, Authentication: true, Username: "max", Password: secret.New(password),
	}}
}

// fail makes a step fail, and skips the rest.
func (steps told) fail(name smtp.StepName, c failure.Cause) told {
	failed := false
	for i := range steps {
		s := &steps[i]
		s.Skipped = failed
		if s.Name == name {
			s.Failure, failed = failure.Classify(c), true
		}
	}
	return steps
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func examine(t *testing.T, steps told, r doctor.Request) doctor.Report {
	t.Helper()
	report := open(t, doctor.Options{Checker: steps, Now: at(now)}).Examine(t.Context(), r)
	report.Took = 0
	return report
}

// TestWarnings are for what works, and should not stay so.
func TestWarnings(t *testing.T) {
	t.Parallel()
	ends := func(in time.Duration) func(told, *doctor.Request) {
		return func(s told, _ *doctor.Request) { s[6].NotAfter = now.Add(in) }
	}
	host := func(name string) func(told, *doctor.Request) {
		return func(_ told, r *doctor.Request) { r.Server.Host = name }
	}
	plain := func(port int, offered bool) func(told, *doctor.Request) {
		return func(s told, r *doctor.Request) {
			r.Server.Encryption, r.Server.Port = smtp.None, port
			s[4].STARTTLS, s[5].TLSVersion = offered, ""
		}
	}
	for _, c := range []struct {
		name    string
		change  func(told, *doctor.Request)
		step    smtp.StepName
		verdict doctor.Verdict
		de      []string // one piece of advice each; none: no hint
	}{
		{"certificate for 14 days", ends(14*24*time.Hour + time.Minute), smtp.StepCertificate, doctor.Passed, nil},
		{"certificate for less than 14 days", ends(14*24*time.Hour - time.Minute), smtp.StepCertificate, doctor.Warning, []string{"läuft in den nächsten zwei Wochen ab"}},
		{"certificate for an hour", ends(time.Hour), smtp.StepCertificate, doctor.Warning, []string{"läuft in den nächsten zwei Wochen ab"}},
		{"password at Microsoft", host("smtp.office365.com"), smtp.StepLogin, doctor.Warning, []string{"Microsoft schafft Passwörter"}},
		{"password at Microsoft, in capitals", host("SMTP.Office365.COM"), smtp.StepLogin, doctor.Warning, []string{"Microsoft schafft Passwörter"}},
		{"password at Google", host("smtp.gmail.com"), smtp.StepLogin, doctor.Warning, []string{"Google wünscht OAuth"}},
		{"password at a name like it", host("notgmail.com"), smtp.StepLogin, doctor.Passed, nil},
		{"token at Microsoft", func(_ told, r *doctor.Request) {
			r.Server.Host = "smtp.office365.com"
			r.Server.Token = func(context.Context, secret.String) (secret.String, error) { return secret.String{}, nil }
		}, smtp.StepLogin, doctor.Passed, nil},
		{"sender at Microsoft", host("smtp.office365.com"), smtp.StepSender, doctor.Passed, []string{"zusätzlich eine Testmail"}},
		{"sender at Brevo", host("smtp-relay.brevo.com"), smtp.StepSender, doctor.Passed, []string{"bestätigt"}},
		{"no encryption", plain(2525, false), smtp.StepEncryption, doctor.Warning, []string{"kann jeder die Mail mitlesen"}},
		{"no encryption, offered", plain(587, true), smtp.StepEncryption, doctor.Warning, []string{"kann jeder die Mail mitlesen", "bietet auf diesem Port STARTTLS an"}},
		{"no encryption, port 25", plain(25, false), smtp.StepEncryption, doctor.Warning, []string{"kann jeder die Mail mitlesen", "Port 25 ist für Mail von Server zu Server"}},
		{"port 25 with encryption", func(_ told, r *doctor.Request) { r.Server.Port = 25 }, smtp.StepEncryption, doctor.Passed, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			steps, r := healthy(), request("de")
			c.change(steps, &r)
			report := examine(t, steps, r)
			got := step(t, report, c.step)
			if got.Verdict != c.verdict || len(got.Hints) != len(c.de) {
				t.Fatalf("%+v", got)
			}
			for i, want := range c.de {
				if !strings.Contains(got.Hints[i], want) {
					t.Errorf("%q lacks %q", got.Hints[i], want)
				}
			}
			if c.verdict == doctor.Warning && report.Verdict != doctor.Warning {
				t.Errorf("altogether %s", report.Verdict)
			}
		})
	}
}

// TestFailures are those with advice of the doctor's own, or a text of its own.
func TestFailures(t *testing.T) {
	t.Parallel()
	timeout := failure.Cause{Stage: failure.StageConnect, Err: &net.OpError{Op: "dial", Err: context.DeadlineExceeded}}
	for _, c := range []struct {
		name    string
		port    int
		step    smtp.StepName
		cause   failure.Cause
		verdict doctor.Verdict
		text    string
		hints   []string
	}{
		{"timeout on 465", 465, smtp.StepConnect, timeout, doctor.Failed, "There is no connection to the server: no answer in time.", []string{"cannot be reached", "Hetzner Cloud"}},
		{"timeout on 25", 25, smtp.StepConnect, timeout, doctor.Failed, "There is no connection to the server: no answer in time.", []string{"cannot be reached", "Hetzner Cloud"}},
		{"timeout on 587", 587, smtp.StepConnect, timeout, doctor.Failed, "There is no connection to the server: no answer in time.", []string{"cannot be reached"}},
		{
			"greylisting", 587, smtp.StepRecipient,
			failure.Cause{Stage: failure.StageRcpt, Reply: failure.Reply{Code: 450, Lines: []string{"4.2.0 Greylisted"}}},
			doctor.Warning, "The server does not accept the recipient address: recipient's server asked for another try later (450 4.2.0).",
			[]string{"delays unknown senders"},
		},
		{
			"another name", 587, smtp.StepCertificate,
			failure.Cause{Stage: failure.StageTLS, Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "mail.example"}},
			doctor.Failed, "The certificate is for mail.example, smtp.example, not for mail.example: certificate not valid.",
			[]string{"another name"},
		},
		{
			"unknown authority", 587, smtp.StepCertificate,
			failure.Cause{Stage: failure.StageTLS, Err: x509.UnknownAuthorityError{}},
			doctor.Failed, "The certificate comes from no known authority (days left: 61): certificate not valid.",
			[]string{"trusted authority"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := request("en")
			r.Server.Port = c.port
			got := step(t, examine(t, healthy().fail(c.step, c.cause), r), c.step)
			if got.Verdict != c.verdict || got.Text != c.text || len(got.Hints) != len(c.hints) {
				t.Fatalf("%+v", got)
			}
			for i, want := range c.hints {
				if !strings.Contains(got.Hints[i], want) {
					t.Errorf("%q lacks %q", got.Hints[i], want)
				}
			}
		})
	}
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		steps := healthy()
		steps[6].NotAfter = now.Add(-50 * time.Hour)
		steps = steps.fail(smtp.StepCertificate, failure.Cause{Stage: failure.StageTLS, Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}})
		got := step(t, examine(t, steps, request("en")), smtp.StepCertificate)
		if got.Text != "The certificate expired on 2026-05-30 (days ago: 3): certificate not valid." || *got.DaysLeft != -3 {
			t.Errorf("%s, %d", got.Text, *got.DaysLeft)
		}
	})
}

// TestForeignText: a tenant sees what a foreign server calls itself only if it
// can be a name, and no reply; an operator sees replies, scrubbed.
// TestRealServers is the whole way, well and with a wrong password.
func TestRealServers(t *testing.T) {
	t.Parallel()
	clinic := clinicOf(t, "mail.example")
	report := clinic.Examine(t.Context(), clinic.request)
	if report.Verdict != doctor.Passed || len(report.Steps) != 11 {
		t.Errorf("%s", report.Text())
	}
	clinic.request.Operator, clinic.request.Server.Password = true, secret.New("wrong "+password)
	clinic.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 bad password: wrong "+password))
	report = clinic.Examine(t.Context(), clinic.request)
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict != doctor.Failed || step(t, report, smtp.StepRecipient).Verdict != doctor.Skipped {
		t.Errorf("%s", report.Text())
	}
	if clinic.Taken() != 0 {
		t.Error("a mail was sent")
	}
	if strings.Contains(string(b), `"reply":""`) || !strings.Contains(string(b), `"reply"`) {
		t.Errorf("no reply for the operator: %s", b)
	}
}

// TestGuarded is the doctor behind the guard: nobody learns what listens where.
func TestGuarded(t *testing.T) {
	t.Parallel()
	inside := smtptest.Start(t, smtptest.Options{})
	guard, err := netguard.New(netguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	transport, err := smtp.New(smtp.Options{Dial: guard.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.Close)
	d := open(t, doctor.Options{Checker: transport})
	var texts []string
	for _, port := range []int{inside.Port(), 1} { // one is open, the other is not
		r := request("en")
		r.Server.Host, r.Server.Port = "127.0.0.1", port
		got := step(t, d.Examine(t.Context(), r), smtp.StepConnect)
		if got.Verdict != doctor.Failed || len(got.Hints) != 1 || !strings.Contains(got.Hints[0], "accounts.allow_networks") || got.Reply != "" {
			t.Errorf("%+v", got)
		}
		texts = append(texts, got.Text+got.Hints[0])
	}
	if texts[0] != texts[1] || inside.Sessions() != 0 {
		t.Errorf("%q, %d sessions", texts, inside.Sessions())
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	d := open(t, doctor.Options{Checker: waiting{}, Timeout: time.Millisecond})
	if r := d.Examine(t.Context(), request("en")); r.Steps[0].Category != "timeout" {
		t.Errorf("%+v", r)
	}
}

// waiting is a Checker that waits for the end of its context.
type waiting struct{}

func (waiting) Check(ctx context.Context, _ smtp.Server, _ smtp.CheckOptions) []smtp.Step {
	<-ctx.Done()
	return told{{Name: smtp.StepBanner}}.fail(smtp.StepBanner, failure.Cause{Stage: failure.StageBanner, Err: ctx.Err()})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []doctor.Options{{}, {Checker: waiting{}, Timeout: -1}} {
		if _, err := doctor.New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if _, err := doctor.NewLimiter(doctor.LimiterOptions{}); err == nil || errors.Is(err, doctor.ErrTooOften) {
		t.Errorf("limiter: %v", err)
	}
}
