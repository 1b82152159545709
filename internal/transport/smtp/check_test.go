package smtp_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// names resolves every name to 192.0.2.7, or to an error.
type names struct{ err error }

func (n names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	if n.err != nil {
		return nil, n.err
	}
	return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7")}, nil
}

// inspect runs the check and wants the connection to be closed after it.
func (h *harness) inspect(t *testing.T, o smtp.CheckOptions) []smtp.Step {
	t.Helper()
	if o.Resolver == nil {
		o.Resolver = names{}
	}
	steps := h.transport.Check(t.Context(), h.server, o)
	if err := h.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if h.Taken() != 0 || h.Count(smtptest.DATA) != 0 {
		t.Errorf("a mail was begun: %v", h.Counts())
	}
	return steps
}

// story is "settings resolve connect! banner-": failed is !, skipped is -.
func story(steps []smtp.Step) string {
	var out []string
	for _, s := range steps {
		word := string(s.Name)
		switch {
		case s.Failure != nil:
			word += "!"
		case s.Skipped:
			word += "-"
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func failed(steps []smtp.Step) *failure.Failure {
	for _, s := range steps {
		if s.Failure != nil {
			return s.Failure
		}
	}
	return nil
}

func step(t *testing.T, steps []smtp.Step, name smtp.StepName) smtp.Step {
	t.Helper()
	i := slices.IndexFunc(steps, func(s smtp.Step) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no step %s", name)
	}
	return steps[i]
}

var both = smtp.CheckOptions{From: "max@acme.example", To: "a@example.org"}

// TestCheckPasses goes all the way, with each kind of encryption.
func TestCheckPasses(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	for _, c := range []struct {
		encryption smtp.Encryption
		want       string
		commands   map[smtptest.Stage]int
	}{
		{
			smtp.None, "settings resolve connect banner ehlo encryption methods login sender recipient",
			map[smtptest.Stage]int{"BANNER": 1, "EHLO": 1, "AUTH": 1, "MAIL": 1, "RCPT": 1, "RSET": 1, "QUIT": 1},
		},
		{
			smtp.STARTTLS, "settings resolve connect banner ehlo encryption certificate methods login sender recipient",
			map[smtptest.Stage]int{"BANNER": 1, "EHLO": 2, "STARTTLS": 1, "AUTH": 1, "MAIL": 1, "RCPT": 1, "RSET": 1, "QUIT": 1},
		},
		{
			smtp.TLS, "settings resolve connect encryption certificate banner ehlo methods login sender recipient",
			map[smtptest.Stage]int{"BANNER": 1, "EHLO": 1, "AUTH": 1, "MAIL": 1, "RCPT": 1, "RSET": 1, "QUIT": 1},
		},
	} {
		t.Run(string(c.encryption), func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{
				TLS: ca.Valid("mail.example", "192.0.2.7"), Implicit: c.encryption == smtp.TLS,
				Username: "max", Password: "geheim", Mechanisms: []string{"LOGIN", "XOAUTH2"},
			}, smtp.Options{RootCAs: ca.Pool()})
			h.server.Host, h.server.Encryption = "mail.example", c.encryption
			h.server.AllowPlaintextLogin = c.encryption == smtp.None
			steps := h.inspect(t, both)
			if diff := cmp.Diff(c.want, story(steps)); diff != "" {
				t.Fatalf("%s\n%v", diff, failed(steps))
			}
			if diff := cmp.Diff(c.commands, h.Counts()); diff != "" {
				t.Error(diff)
			}
			facts(t, h, steps)
		})
	}
}

func facts(t *testing.T, h *harness, steps []smtp.Step) {
	t.Helper()
	if got := step(t, steps, smtp.StepResolve).Addresses; len(got) != 1 || got[0] != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("addresses %v", got)
	}
	if got := step(t, steps, smtp.StepConnect).Remote; got != h.Addr() {
		t.Errorf("remote %q", got)
	}
	if got := step(t, steps, smtp.StepMethods).Mechanisms; !slices.Equal(got, []string{"LOGIN", "XOAUTH2"}) {
		t.Errorf("mechanisms %q", got)
	}
	if got := step(t, steps, smtp.StepEHLO).STARTTLS; got != (h.server.Encryption != smtp.TLS) {
		t.Errorf("STARTTLS %v", got)
	}
	version := step(t, steps, smtp.StepEncryption).TLSVersion
	if h.server.Encryption == smtp.None {
		if version != "" {
			t.Errorf("version %q", version)
		}
		return
	}
	certificate := step(t, steps, smtp.StepCertificate)
	if version != "TLS 1.3" || !slices.Equal(certificate.Names, []string{"mail.example", "192.0.2.7"}) ||
		time.Until(certificate.NotAfter) < 23*time.Hour || time.Since(certificate.NotBefore) < time.Hour-time.Minute {
		t.Errorf("version %q, certificate %+v", version, certificate)
	}
}

// TestCheckShort leaves out what nobody has asked for.
func TestCheckShort(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	for _, c := range []struct {
		options smtp.CheckOptions
		want    string
	}{
		{smtp.CheckOptions{}, "settings resolve connect banner ehlo encryption methods"},
		{smtp.CheckOptions{To: "a@example.org"}, "settings resolve connect banner ehlo encryption methods"},
		{smtp.CheckOptions{From: "max@acme.example"}, "settings resolve connect banner ehlo encryption methods sender"},
	} {
		if got := story(h.inspect(t, c.options)); got != c.want {
			t.Errorf("%+v: %s", c.options, got)
		}
	}
	if got := h.Count(smtptest.RCPT); got != 0 {
		t.Errorf("%d recipients", got)
	}
}

// TestCheckStops at the step that fails, with each way to fail there.
func TestCheckStops(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stage  smtptest.Stage
		answer smtptest.Answer
		step   smtp.StepName
		want   string
		quit   int
	}{
		{"banner 5yz", smtptest.Banner, smtptest.Reply(554, "no SMTP service"), smtp.StepBanner, "reputation_blocked", 0},
		{"banner cut", smtptest.Banner, smtptest.Cut(), smtp.StepBanner, "connection_lost", 0},
		{"not SMTP", smtptest.Banner, smtptest.Raw("* OK IMAP4rev1 ready\r\n"), smtp.StepBanner, "protocol_error", 0},
		{"silence", smtptest.Banner, smtptest.Silence(), smtp.StepBanner, "timeout", 0},
		{"EHLO 5yz", smtptest.EHLO, smtptest.Reply(550, "bad name"), smtp.StepEHLO, "config_invalid", 1},
		{"AUTH 535", smtptest.AUTH, smtptest.Reply(535, "5.7.8 no"), smtp.StepLogin, "auth_failed", 1},
		{"AUTH cut", smtptest.AUTH, smtptest.Cut(), smtp.StepLogin, "connection_lost", 0},
		{"MAIL 550", smtptest.MAIL, smtptest.Reply(550, "Sender address is not allowed."), smtp.StepSender, "sender_rejected", 1},
		{"RCPT 550", smtptest.RCPT, smtptest.Reply(550, "5.1.1 unknown"), smtp.StepRecipient, "recipient_unknown", 1},
		{"RCPT silence", smtptest.RCPT, smtptest.Silence(), smtp.StepRecipient, "timeout", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "geheim"}, smtp.Options{})
				h.On(c.stage, c.answer)
				steps := h.inspect(t, both)
				done := true
				for _, s := range steps {
					if s.Name == c.step {
						done = false
						if s.Failure == nil || s.Failure.Category != c.want || s.Skipped {
							t.Errorf("%s: %v, want %s", s.Name, s.Failure, c.want)
						}
						continue
					}
					if s.Skipped == done || s.Failure != nil {
						t.Errorf("%s: skipped %v, %v", s.Name, s.Skipped, s.Failure)
					}
				}
				if got := h.Count(smtptest.QUIT); got != c.quit {
					t.Errorf("QUIT %d times, want %d", got, c.quit)
				}
			})
		})
	}
}

func TestCheckBeforeConnecting(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	steps := h.inspect(t, smtp.CheckOptions{Resolver: names{err: &net.DNSError{Err: "no such host", IsNotFound: true}}})
	if f := failed(steps); f == nil || f.Category != "dns_failure" || steps[1].Failure != f {
		t.Errorf("name: %s, %v", story(steps), f)
	}
	h.server.Port = 0
	steps = h.inspect(t, both)
	if f := failed(steps); f == nil || f.Category != "config_invalid" || steps[0].Failure != f {
		t.Errorf("settings: %s, %v", story(steps), f)
	}
	h.server.Port = 1
	refusing, err := smtp.New(smtp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	steps = refusing.Check(t.Context(), h.server, smtp.CheckOptions{})
	if f := failed(steps); f == nil || f.Category != "connection_refused" || steps[2].Failure != f {
		t.Errorf("connect: %s, %v", story(steps), f)
	}
	if h.Sessions() != 0 {
		t.Errorf("%d sessions", h.Sessions())
	}
}

// TestCheckCertificate: why a certificate fails, and what it says all the same.
// TestCheckMethods forgets what was offered before the encryption.
func TestCheckAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, from, to string
		extensions     []string
		want           string // category of the failure, or a command
	}{
		{"domain with umlaut", "max@müller.example", "a@example.org", []string{"SMTPUTF8"}, "MAIL FROM:<max@xn--mller-kva.example> SMTPUTF8\r\n"},
		{"domain with umlaut, not offered", "max@müller.example", "a@example.org", []string{}, "MAIL FROM:<max@xn--mller-kva.example>\r\n"},
		{"local part with umlaut, offered", "jürgen@acme.example", "a@example.org", []string{"SMTPUTF8"}, "MAIL FROM:<jürgen@acme.example> SMTPUTF8\r\n"},
		{"recipient with umlaut, offered", "max@acme.example", "jürgen@example.org", []string{"SMTPUTF8"}, "MAIL FROM:<max@acme.example> SMTPUTF8\r\n"},
		{"no umlaut", "max@acme.example", "a@example.org", []string{"SMTPUTF8"}, "MAIL FROM:<max@acme.example>\r\n"},
		{"local part with umlaut, not offered", "jürgen@acme.example", "a@example.org", []string{}, "address_needs_utf8"},
		{"recipient with umlaut, not offered", "max@acme.example", "jürgen@example.org", []string{}, "address_needs_utf8"},
		{"command in the sender", "max@acme.example>\r\nDATA\r\n<", "a@example.org", []string{}, "config_invalid"},
		{"command in the recipient", "max@acme.example", "a@example.org>\r\nDATA\r\n<", []string{}, "recipient_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := smtptest.Start(t, smtptest.Options{Extensions: c.extensions})
			var sent tap
			tr, err := smtp.New(smtp.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				sent.Conn = conn
				return &sent, err
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.Close)
			steps := tr.Check(t.Context(), smtp.Server{Host: "127.0.0.1", Port: srv.Port(), Encryption: smtp.None}, smtp.CheckOptions{From: c.from, To: c.to})
			if f := failed(steps); f != nil {
				if f.Category != c.want {
					t.Errorf("%s: %v, want %q", story(steps), f, c.want)
				}
				return
			}
			if !strings.Contains(sent.text.String(), c.want) {
				t.Errorf("%q lacks %q", sent.text.String(), c.want)
			}
		})
	}
}

// A tap keeps what the client sends.
type tap struct {
	net.Conn
	text strings.Builder
}

func (c *tap) Write(p []byte) (int, error) {
	c.text.Write(p)
	return c.Conn.Write(p)
}

// TestCheckEndsWithContext: a server that never answers does not hold anybody.
func TestCheckEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		h.On(smtptest.MAIL, smtptest.Silence())
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		steps := h.transport.Check(ctx, h.server, smtp.CheckOptions{From: "max@acme.example", Resolver: names{}})
		got := step(t, steps, smtp.StepSender)
		if got.Failure == nil || got.Failure.Category != "timeout" || got.Took != 20*time.Second || time.Since(start) != 20*time.Second {
			t.Errorf("%v after %v: %v", got.Took, time.Since(start), got.Failure)
		}
	})
}

// TestCheckToken: a refused access token is replaced once, as for a mail.
// TestCheckKeepsSecrets: no failure shows the password, however the login fails.
