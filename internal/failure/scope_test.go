package failure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// TestScope says for each stage who waits. The expectations do not come from rules.yaml.
func TestScope(t *testing.T) {
	t.Parallel()
	refused := dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	for _, tt := range []struct {
		name  string
		scope Scope
		class Class
		cause Cause
	}{
		{"name resolution", ScopeServer, Transient, broken(StageConnect, dial(&net.DNSError{IsNotFound: true}))},
		{"refused dial", ScopeServer, Transient, broken(StageConnect, refused)},
		{"silent dial", ScopeServer, Transient, broken(StageConnect, dial(os.ErrDeadlineExceeded))},
		{"certificate", ScopeServer, Config, broken(StageTLS, certificate(x509.HostnameError{Certificate: &x509.Certificate{}}))},
		{"handshake", ScopeServer, Config, broken(StageTLS, &net.OpError{Op: "remote error", Err: tls.AlertError(70)})},
		{"lost in the handshake", ScopeServer, Transient, broken(StageTLS, io.EOF)},
		{"TLS on a port without", ScopeAccount, Config, broken(StageTLS, tls.RecordHeaderError{})},
		{"turned away at the greeting", ScopeServer, Config, reply(StageBanner, 554, "No SMTP service")},
		{"too many connections at the greeting", ScopeServer, Throttle, reply(StageBanner, 421, "too many connections")},
		{"lost before the greeting", ScopeServer, Transient, broken(StageBanner, io.EOF)},
		{"no SMTP server", ScopeServer, Transient, broken(StageBanner, textproto.ProtocolError("short response: * OK"))},
		{"EHLO name", ScopeServer, Config, reply(StageEHLO, 501, "Invalid domain name")},
		{"shutdown at EHLO", ScopeServer, Transient, reply(StageEHLO, 421, "closing")},
		{"STARTTLS away for now", ScopeServer, Transient, reply(StageSTARTTLS, 454, "TLS not available")},
		{"STARTTLS not offered on the port", ScopeAccount, Config, broken(StageSTARTTLS, ErrNoSTARTTLS)},
		{"our own shutdown", ScopeMail, Transient, broken(StageConnect, dial(context.Canceled))},
		{"this system does not connect there", ScopeServer, Config, broken(StageConnect, ErrNotAllowed)},

		{"login refused", ScopeAccount, Config, reply(StageAuth, 535, "no")},
		{"login service disturbed", ScopeAccount, Transient, reply(StageAuth, 454, "4.7.0 Temporary authentication failure")},
		{"too many logins", ScopeAccount, Throttle, reply(StageAuth, 454, "4.7.0 Too many login attempts")},
		{"lost at the login", ScopeAccount, Transient, broken(StageAuth, io.EOF)},
		{"block list at the login", ScopeAccount, Config, reply(StageAuth, 554, "blocked using zen.spamhaus.org")},
		{"token refused", ScopeAccount, Config, api(StageToken, 400, "invalid_grant", "")},
		{"token service disturbed", ScopeAccount, Transient, api(StageToken, 503, "", "")},
		{"token service throttles", ScopeAccount, Throttle, api(StageToken, 429, "", "")},
		{"token service out of reach", ScopeAccount, Transient, broken(StageToken, refused)},

		{"421 at MAIL", ScopeAccount, Transient, reply(StageMail, 421, "4.3.2 closing")},
		{"451 at MAIL", ScopeAccount, Transient, reply(StageMail, 451, "4.3.0 try later")},
		{"unseen 4yz at MAIL", ScopeAccount, Transient, reply(StageMail, 459, "xyzzy")},
		{"block list at MAIL", ScopeAccount, Config, reply(StageMail, 550, "5.7.606 banned sending IP")},
		{"lost at MAIL", ScopeMail, Transient, broken(StageMail, io.EOF)},
		{"broken TLS at MAIL", ScopeMail, Transient, broken(StageMail, errors.New("local error: tls: bad record MAC"))},
		{"too large at MAIL", ScopeMail, Permanent, reply(StageMail, 552, "5.3.4 too big")},
		{"greylisted at MAIL", ScopeMail, Transient, reply(StageMail, 451, "greylisted")},
		{"encryption demanded at MAIL", ScopeAccount, Config, reply(StageMail, 530, "5.7.0 Must issue a STARTTLS command first")},
		{"login demanded at MAIL", ScopeAccount, Config, reply(StageMail, 530, "5.7.57 Client not authenticated")},
		{"sender refused", ScopeSender, Config, reply(StageMail, 550, "5.7.60 no permissions to send as this sender")},
		{"sender's domain for now", ScopeSender, Transient, reply(StageMail, 450, "4.1.8 Domain not found")},
		{"sender that cannot be written", ScopeSender, Config, broken(StageMail, rohrpost.ErrAddress)},
		{"sender refused by Graph", ScopeSender, Config, api(StageAPI, 403, "ErrorSendAsDenied", "")},
		{"sender refused at RCPT", ScopeSender, Config, reply(StageRcpt, 553, "Sender address rejected: not owned by user x")},
		{"sender refused after the dot", ScopeSender, Config, reply(StageDot, 554, "5.2.252 SendAsDenied")},

		{"recipient unknown", ScopeMail, Permanent, reply(StageRcpt, 550, "5.1.1 no")},
		{"recipient greylisted", ScopeMail, Transient, reply(StageRcpt, 450, "4.2.0 Greylisted")},
		{"recipient's box full", ScopeMail, Transient, reply(StageRcpt, 452, "4.2.2 full")},
		{"recipient gets too much", ScopeMail, Throttle, reply(StageRcpt, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly.")},
		{"recipient gets too much, for good", ScopeMail, Permanent, reply(StageRcpt, 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery")},
		{"recipient's hourly limit", ScopeMail, Throttle, reply(StageRcpt, 550, "5.2.121 limit exceeded")},
		{"too many recipients", ScopeMail, Transient, reply(StageRcpt, 452, "4.5.3 too many recipients")},
		{"block list of the recipient", ScopeMail, Permanent, reply(StageRcpt, 554, "blocked using zen.spamhaus.org")},
		{"421 at RCPT", ScopeMail, Transient, reply(StageRcpt, 421, "4.3.0 closing")},
		{"421 after the dot", ScopeMail, Transient, reply(StageDot, 421, "4.4.2 content filter timed out")},
		{"unseen 4yz at RCPT", ScopeMail, Transient, reply(StageRcpt, 459, "xyzzy")},
		{"lost at DATA", ScopeMail, Transient, broken(StageData, read(syscall.ECONNRESET))},
		{"relaying denied", ScopeAccount, Config, reply(StageRcpt, 554, "5.7.1 Relay access denied")},
		{"login demanded at RCPT", ScopeAccount, Config, reply(StageRcpt, 530, "5.5.1 Authentication required")},
		{"throttled at RCPT", ScopeAccount, Throttle, reply(StageRcpt, 450, "rate limit")},
		{"quota at RCPT", ScopeAccount, Throttle, reply(StageRcpt, 450, "Mail send limit exceeded.")},
		{"quota after the dot", ScopeAccount, Throttle, reply(StageDot, 550, "5.4.5 Daily user sending limit exceeded")},
		{"concurrency after the dot", ScopeAccount, Throttle, reply(StageDot, 432, "4.3.2 Concurrent connections limit exceeded")},
		{"account blocked", ScopeAccount, Config, reply(StageDot, 550, "5.1.8 Access denied, bad outbound sender")},
		{"sending mailbox full", ScopeAccount, Config, reply(StageDot, 554, "5.2.2 mailbox full; STOREDRV.Submission")},
		{"no right on the mailbox", ScopeAccount, Transient, reply(StageDot, 430, "4.2.0 STOREDRV; mailbox logon failure")},
		{"spam", ScopeMail, Permanent, reply(StageDot, 554, "spam")},
		{"spam, for now", ScopeMail, Transient, reply(StageDot, 451, "4.7.1 spam")},
		{"block list after the dot", ScopeMail, Permanent, reply(StageDot, 550, "5.7.1 listed at uribl")},
		{"SPF for now", ScopeSender, Transient, reply(StageDot, 451, "4.7.24 SPF error")},
		{"SPF for good", ScopeMail, Permanent, reply(StageDot, 550, "5.7.23 SPF failed")},
		{"no answer after the dot", ScopeMail, Uncertain, broken(StageDot, io.EOF)},

		{"API throttles", ScopeAccount, Throttle, api(StageAPI, 429, "", "")},
		{"API refuses the token", ScopeAccount, Config, api(StageAPI, 401, "", "")},
		{"API out of reach", ScopeServer, Transient, broken(StageAPI, refused)},
		{"API away", ScopeAccount, Transient, api(StageAPI, 503, "serviceNotAvailable", "")},
		{"API fails, maybe by this mail", ScopeMail, Transient, api(StageAPI, 500, "ErrorInternalServerError", "")},
		{"no answer of the API", ScopeMail, Uncertain, broken(StageAPI, io.EOF)},

		{"settings", ScopeAccount, Config, broken(StageWorker, ErrSettings)},
		{"malformed", ScopeMail, Permanent, broken(StageWorker, ErrMalformed)},
		{"unwritten", ScopeMail, Transient, broken(StageWorker, ErrUnwritten)},
		{"expired", ScopeMail, Expired, broken(StageWorker, ErrExpired)},
		{"interrupted", ScopeMail, Transient, broken(StageWorker, ErrInterrupted)},
		{"archived", ScopeMail, Permanent, broken(StageWorker, ErrArchived)},
		{"panic", ScopeMail, Transient, broken(StageWorker, errors.New("panic"))},
		{"own limit", ScopeAccount, Throttle, broken(StageWorker, fmt.Errorf("%w: 30 a minute", ErrRateWait))},
		{"own connections", ScopeAccount, Throttle, broken(StageWorker, ErrBusyWait)},
		{"server down", ScopeServer, Throttle, broken(StageWorker, ErrDownWait)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := Classify(tt.cause)
			if f.Scope() != tt.scope || f.Class != tt.class {
				t.Errorf("%s %s, want %s %s: rule %d, %v", f.Class, f.Scope(), tt.class, tt.scope, f.Rule, f)
			}
			checkJudgement(t, f)
		})
	}
}

// TestNeedsPerson is who parks an account, and what waits with an end instead.
func TestNeedsPerson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		want  bool
		cause Cause
	}{
		{"login refused", true, reply(StageAuth, 535, "5.7.8 no")},
		{"login switched off", true, reply(StageAuth, 535, "5.7.139 SmtpClientAuthentication is disabled for the Tenant")},
		{"token refused at the login", true, reply(StageAuth, 535, "5.7.3 Authentication unsuccessful")},
		{"app password", true, reply(StageAuth, 534, "5.7.9 Application-specific password required")},
		{"app password, said at MAIL", true, reply(StageMail, 550, "Application-specific password required")},
		{"login method", true, reply(StageAuth, 504, "5.7.4 Unrecognized authentication type")},
		{"refused at the login by block list", true, reply(StageAuth, 554, "blocked using zen.spamhaus.org")},
		{"grant expired", true, api(StageToken, 400, "invalid_grant", "")},
		{"consent", true, api(StageToken, 400, "consent_required", "")},
		{"client secret", true, api(StageToken, 401, "invalid_client", "")},
		{"tenant unknown", true, api(StageToken, 400, "invalid_request", "AADSTS90002")},
		{"API: token", true, api(StageAPI, 401, "InvalidAuthenticationToken", "")},
		{"API: permission", true, api(StageAPI, 403, "ErrorAccessDenied", "")},
		{"API: no mailbox", true, api(StageAPI, 404, "MailboxNotEnabledForRESTAPI", "")},
		{"API: account suspended", true, api(StageAPI, 403, "ErrorAccountSuspend", "")},
		{"account blocked", true, reply(StageDot, 550, "5.1.8 Access denied, bad outbound sender")},
		{"organisation blocked", true, reply(StageRcpt, 550, "5.7.705 tenant has exceeded threshold")},
		{"login demanded", true, reply(StageMail, 530, "5.7.57 Client not authenticated")},
		{"login demanded at RCPT", true, reply(StageRcpt, 530, "5.5.1 Authentication required")},
		{"encryption demanded", true, reply(StageMail, 530, "5.7.0 Must issue a STARTTLS command first")},
		{"encryption demanded at the login", true, reply(StageAuth, 538, "5.7.11 Encryption required")},

		{"a closed list of the recipient's", false, reply(StageRcpt, 550, "5.7.1 RESOLVER.RST.AuthRequired; authentication required")},
		{"relaying denied", false, reply(StageRcpt, 554, "5.7.1 Relay access denied")},
		{"sending mailbox full", false, reply(StageDot, 554, "5.2.2 mailbox full; STOREDRV.Submission")},
		{"no right on the mailbox, yet", false, reply(StageDot, 430, "4.2.0 mailbox logon failure")},
		{"sender refused", false, reply(StageMail, 550, "5.7.60 no permissions to send as this sender")},
		{"block list", false, reply(StageMail, 550, "5.7.606 banned sending IP")},
		{"turned away at the greeting", false, reply(StageBanner, 554, "No SMTP service")},
		{"EHLO name", false, reply(StageEHLO, 550, "no")},
		{"STARTTLS refused", false, reply(StageSTARTTLS, 502, "no")},
		{"STARTTLS not offered", false, broken(StageSTARTTLS, ErrNoSTARTTLS)},
		{"login not offered", false, broken(StageAuth, ErrNoAuth)},
		{"certificate", false, broken(StageTLS, certificate(x509.UnknownAuthorityError{}))},
		{"login service disturbed", false, reply(StageAuth, 454, "4.7.0 Temporary authentication failure")},
		{"too many logins", false, reply(StageAuth, 454, "4.7.0 Too many login attempts")},
		{"token service disturbed", false, api(StageToken, 503, "", "")},
		{"quota", false, reply(StageDot, 550, "5.4.5 Daily user sending limit exceeded")},
		{"recipient unknown", false, reply(StageRcpt, 550, "5.1.1 no")},
		{"settings, without an answer", false, broken(StageWorker, ErrSettings)},
		{"settings of the token, without an answer", false, broken(StageToken, ErrSettings)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := Classify(tt.cause)
			if f.NeedsPerson() != tt.want {
				t.Errorf("rule %d, %s: %v", f.Rule, f.Class, f)
			}
			checkJudgement(t, f)
		})
	}
}

// TestScopeOfANotice is asked of a failure that was kept, without its cause.
func TestScopeOfANotice(t *testing.T) {
	t.Parallel()
	f := &Failure{Stage: StageAuth, Class: Config, Category: "auth_failed", Rule: 19, Code: 535}
	if f.Scope() != ScopeAccount || !f.NeedsPerson() {
		t.Errorf("%s, needs a person: %v", f.Scope(), f.NeedsPerson())
	}
	if got := (&Failure{}).Scope(); got != ScopeMail {
		t.Errorf("nothing known is %s", got)
	}
}
