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
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

// reply builds the cause of a server's answer; lines are separated by "|".
func reply(stage Stage, code int, lines string) Cause {
	return Cause{Stage: stage, Reply: Reply{Code: code, Lines: strings.Split(lines, "|")}}
}

func broken(stage Stage, err error) Cause { return Cause{Stage: stage, Err: err} }

func api(stage Stage, status int, code, text string) Cause {
	c := reply(stage, status, text)
	c.APICode = code
	return c
}

func at(host string, c Cause) Cause {
	c.Host = host
	return c
}

func dial(err error) error {
	return fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
}

func read(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }

func certificate(err error) error { return &tls.CertificateVerificationError{Err: err} }

// TestRows has the 81 rows of the reference table, by number, with replies as
// servers send them. The expectations do not come from rules.yaml.
func TestRows(t *testing.T) {
	t.Parallel()
	const m365, gmail, gmx = "smtp.office365.com", "smtp.gmail.com", "mail.gmx.net"
	tests := []struct {
		rule     int
		category string
		class    Class
		cause    Cause
	}{
		{1, "dns_failure", Transient, broken(StageConnect, dial(&net.DNSError{Err: "no such host", Name: "smpt.example.org", IsNotFound: true}))},
		{2, "dns_failure", Transient, broken(StageConnect, dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}))},
		{2, "dns_failure", Transient, broken(StageConnect, dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}))},
		{3, "connection_refused", Transient, broken(StageConnect, dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)))},
		{4, "timeout", Transient, broken(StageConnect, dial(os.ErrDeadlineExceeded))},
		{4, "timeout", Transient, broken(StageConnect, context.DeadlineExceeded)},
		{4, "host_unreachable", Transient, broken(StageConnect, dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)))},
		{4, "host_unreachable", Transient, broken(StageConnect, dial(os.NewSyscallError("connect", syscall.ENETUNREACH)))},
		{4, "host_unreachable", Transient, broken(StageConnect, dial(os.NewSyscallError("connect", syscall.EPERM)))},
		{5, "connection_lost", Transient, broken(StageRcpt, io.EOF)},
		{5, "connection_lost", Transient, broken(StageData, read(syscall.ECONNRESET))},
		{5, "connection_lost", Transient, broken(StageData, fmt.Errorf("write: %w", syscall.EPIPE))},
		{5, "timeout", Transient, broken(StageMail, read(os.ErrDeadlineExceeded))},
		{6, "delivery_uncertain", Uncertain, broken(StageDot, io.ErrUnexpectedEOF)},
		{6, "delivery_uncertain", Uncertain, broken(StageDot, read(syscall.ECONNRESET))},
		{6, "delivery_uncertain", Uncertain, broken(StageDot, read(os.ErrDeadlineExceeded))},
		{6, "delivery_uncertain", Uncertain, broken(StageDot, context.Canceled)},
		{6, "delivery_uncertain", Uncertain, broken(StageDot, textproto.ProtocolError("short response: x"))},
		{6, "delivery_uncertain", Uncertain, reply(StageDot, 354, "go on")},
		{6, "delivery_uncertain", Uncertain, broken(StageAPI, io.EOF)},
		{6, "delivery_uncertain", Uncertain, api(StageAPI, 504, "", "gateway timeout")},
		{7, "tls_failure", Config, broken(StageTLS, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"})},
		{8, "certificate_invalid", Config, broken(StageTLS, certificate(x509.UnknownAuthorityError{}))},
		{9, "certificate_invalid", Config, broken(StageTLS, certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "mail.acme.example"}))},
		{10, "certificate_invalid", Transient, broken(StageTLS, certificate(x509.CertificateInvalidError{Reason: x509.Expired}))},
		{11, "tls_failure", Config, broken(StageTLS, &net.OpError{Op: "remote error", Err: tls.AlertError(40)})},
		{11, "tls_failure", Config, broken(StageTLS, errors.New("tls: server selected unsupported protocol version 301"))},
		{12, "tls_failure", Config, broken(StageSTARTTLS, fmt.Errorf("port 25: %w", ErrNoSTARTTLS))},
		{12, "tls_failure", Config, reply(StageSTARTTLS, 502, "5.5.1 Command not implemented")},
		{13, "tls_failure", Transient, reply(StageSTARTTLS, 454, "4.7.0 TLS not available due to temporary reason")},
		{14, "tls_failure", Config, reply(StageMail, 530, "5.7.0 Must issue a STARTTLS command first. 4-20020a05 - gsmtp")},
		{14, "tls_failure", Config, reply(StageAuth, 538, "5.7.11 Encryption required for requested authentication mechanism")},
		{14, "tls_failure", Config, reply(StageMail, 523, "5.7.10 Encryption Needed")},
		{15, "reputation_blocked", Config, reply(StageBanner, 554, "gmx.net (mxgmx117) Nemesis ESMTP Service not available|No SMTP service|IP address is block listed.")},
		{15, "reputation_blocked", Config, reply(StageBanner, 554, "gmx.net (mxgmx117) Nemesis ESMTP Service not available|No SMTP service|Bad DNS PTR resource record.")},
		{16, "temporary_server", Transient, reply(StageMail, 421, "4.3.0 Server busy, closing channel")},
		{16, "temporary_server", Transient, reply(StageEHLO, 421, "4.7.0 Try again later, closing connection.")},
		{16, "temporary_server", Transient, reply(StageAuth, 421, "Service not available")},
		{17, "rate_limited", Throttle, reply(StageBanner, 421, "too many concurrent SMTP connections; please try again later.")},
		{17, "rate_limited", Throttle, reply(StageRcpt, 452, "Too many sessions from your host")},
		{17, "rate_limited", Throttle, reply(StageMail, 451, "4.7.652 The mail server has exceeded the maximum number of connections.")},
		{18, "rate_limited", Throttle, reply(StageDot, 432, "4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.")},
		{18, "rate_limited", Throttle, reply(StageDot, 432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded")},
		{19, "auth_failed", Config, reply(StageAuth, 535, "5.7.8 Error: authentication failed: UGFzc3dvcmQ6")},
		{19, "auth_failed", Config, reply(StageAuth, 535, "Incorrect authentication data")},
		{19, "auth_failed", Config, at("smtp.cobweb.de", reply(StageAuth, 535, "no"))}, // only its name ends like WEB.DE
		{19, "auth_failed", Config, reply(StageAuth, 535, "5.7.8 Username and Password not accepted. For more information, go to|5.7.8  https://support.google.com/mail/?p=BadCredentials x - gsmtp")},
		{20, "auth_disabled", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information.")},
		{20, "auth_disabled", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.")},
		{21, "auth_disabled", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled.")},
		{21, "auth_disabled", Config, at(m365, reply(StageAuth, 550, "5.7.30 Basic authentication is not supported for Client Submission."))},
		{22, "auth_disabled", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.")},
		{22, "auth_disabled", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.")},
		{23, "temporary_server", Transient, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, federated STS service was unreachable")},
		{24, "oauth_expired", Config, reply(StageAuth, 535, "5.7.3 Authentication unsuccessful [FR0P281CA0077.DEUP281.PROD.OUTLOOK.COM]")},
		{25, "oauth_expired", Config, reply(StageAuth, 334, "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=")},
		{25, "oauth_expired", Config, api(StageAPI, 401, "InvalidAuthenticationToken", "Access token has expired.")},
		{26, "app_password_required", Config, reply(StageAuth, 534, "5.7.9 Application-specific password required. For more information, go to|5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp")},
		{26, "app_password_required", Config, reply(StageAuth, 535, "5.7.9 authentication failed")},
		{27, "account_verification", Config, reply(StageAuth, 534, "5.7.14 <https://accounts.google.com/signin/continue?sarp=1> Please log|5.7.14 in via your web browser and then try again.")},
		{27, "account_verification", Config, reply(StageAuth, 534, "5.7.9 Please log in with your web browser and then try again.")},
		{28, "auth_failed", Config, at(gmx, reply(StageAuth, 535, "Authentication credentials invalid"))},
		{29, "auth_failed", Config, at("securesmtp.t-online.de", reply(StageAuth, 535, "authentication failed"))},
		{30, "auth_failed", Config, at("smtp-relay.brevo.com", reply(StageAuth, 535, "5.7.8 Authentication failed"))},
		{30, "auth_failed", Config, at("smtp-relay.brevo.com", reply(StageAuth, 525, "5.7.1 Unauthorized IP address"))},
		{31, "rate_limited", Throttle, reply(StageAuth, 454, "4.7.0 Too many login attempts, please try again later. x - gsmtp")},
		{32, "temporary_server", Transient, reply(StageAuth, 454, "4.7.0 Temporary authentication failure: Connection lost to authentication server")},
		{32, "temporary_server", Transient, reply(StageAuth, 451, "4.3.0 Temporary lookup failure of user")},
		{33, "config_invalid", Config, reply(StageAuth, 504, "5.7.4 Unrecognized authentication type")},
		{33, "config_invalid", Config, reply(StageAuth, 503, "5.5.1 Error: authentication not enabled")},
		{33, "config_invalid", Config, broken(StageAuth, ErrNoAuth)},
		{33, "config_invalid", Config, broken(StageAuth, errors.New("smtp: server doesn't support AUTH"))},
		{34, "auth_required", Config, reply(StageMail, 530, "5.7.57 Client not authenticated to send mail. [AM0PR.prod.outlook.com]")},
		{34, "auth_required", Config, reply(StageMail, 530, "5.7.0 Authentication Required. For more information, go to|5.7.0  https://support.google.com/mail/?p=WantAuthError x - gsmtp")},
		{34, "auth_required", Config, reply(StageRcpt, 530, "5.5.1 Authentication required")},
		{35, "oauth_expired", Config, api(StageToken, 400, "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.")},
		{35, "oauth_expired", Config, api(StageToken, 400, "invalid_grant", "Token has been expired or revoked.")},
		{36, "oauth_interaction", Config, api(StageToken, 400, "invalid_grant", "AADSTS50076: Due to a configuration change you must use multi-factor authentication")},
		{36, "oauth_interaction", Config, api(StageToken, 400, "interaction_required", "")},
		{36, "oauth_interaction", Config, api(StageToken, 400, "invalid_grant", "reauth related error (invalid_rapt)")},
		{37, "oauth_consent", Config, api(StageToken, 400, "invalid_grant", "AADSTS65001: The user or administrator has not consented to use the application")},
		{37, "oauth_consent", Config, api(StageToken, 400, "admin_policy_enforced", "")},
		{38, "oauth_client", Config, api(StageToken, 401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired.")},
		{38, "oauth_client", Config, api(StageToken, 401, "invalid_client", "The OAuth client was not found.")},
		{39, "oauth_client", Config, api(StageToken, 400, "unauthorized_client", "AADSTS700016: Application with identifier was not found in the directory")},
		{39, "oauth_client", Config, api(StageToken, 401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method")},
		{40, "auth_failed", Config, api(StageToken, 400, "invalid_grant", "AADSTS50053: The account is locked")},
		{41, "oauth_temporary", Transient, api(StageToken, 503, "temporarily_unavailable", "")},
		{41, "oauth_temporary", Transient, api(StageToken, 500, "", "internal")},
		{42, "rate_limited", Throttle, api(StageToken, 429, "", "slow down")},
		{42, "rate_limited", Throttle, api(StageToken, 400, "invalid_request", "AADSTS50196: The server terminated an operation because it encountered a client request loop")},
		{43, "sender_rejected", Config, reply(StageMail, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender")},
		{43, "sender_rejected", Config, reply(StageDot, 554, "5.2.252 SendAsDenied; a@acme.example not allowed to send as b@acme.example")},
		{43, "sender_rejected", Config, reply(StageDot, 554, "5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message")},
		{43, "sender_rejected", Config, api(StageAPI, 403, "ErrorSendAsDenied", "")},
		{44, "sender_rejected", Config, at(gmx, reply(StageRcpt, 550, "Requested action not taken: mailbox unavailable|Sender address is not allowed."))},
		{45, "sender_rejected", Config, reply(StageRcpt, 553, "5.7.1 <a@acme.example>: Sender address rejected: not owned by user max@acme.example")},
		{45, "sender_rejected", Config, reply(StageRcpt, 553, "5.7.1 <a@acme.example>: Sender address rejected: not logged in")},
		{46, "sender_rejected", Config, reply(StageMail, 553, "5.1.8 <a@nowhere.example>: Domain not found")},
		{46, "sender_rejected", Config, reply(StageMail, 550, "5.7.27 Sender address has null MX")},
		{46, "sender_rejected", Config, reply(StageMail, 550, "5.1.7 Invalid address")},
		{47, "account_blocked", Config, reply(StageDot, 550, "5.1.8 Access denied, bad outbound sender AS(42004)")},
		{47, "account_blocked", Config, reply(StageMail, 550, "5.7.501 Service unavailable. Access denied, spam abuse detected.")},
		{47, "account_blocked", Config, reply(StageDot, 554, "5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; WASCL UserAction verdict is Refuse")},
		{47, "account_blocked", Config, api(StageAPI, 403, "ErrorMessageSubmissionBlocked", "")},
		{48, "account_blocked", Config, reply(StageDot, 550, "5.7.705 Service unavailable. Access denied, tenant has exceeded threshold")},
		{49, "sender_mailbox_full", Config, reply(StageDot, 554, "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded")},
		{49, "sender_mailbox_full", Config, api(StageAPI, 507, "ErrorQuotaExceeded", "")},
		{50, "mailbox_not_found", Transient, reply(StageDot, 430, "4.2.0 STOREDRV; mailbox logon failure; failure code 1144; ConnectionFailedTransientException.MapiExceptionLogonFailed")},
		{51, "mailbox_not_found", Config, api(StageAPI, 404, "MailboxNotEnabledForRESTAPI", "")},
		{51, "mailbox_not_found", Config, api(StageAPI, 400, "failedPrecondition", "Precondition check failed.")},
		{52, "oauth_consent", Config, api(StageAPI, 403, "ErrorAccessDenied", "Access is denied.")},
		{53, "quota_exceeded", Throttle, reply(StageDot, 554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message")},
		{53, "quota_exceeded", Throttle, reply(StageDot, 550, "5.7.233 Your message can't be sent because your tenant exceeded its daily limit")},
		{53, "quota_exceeded", Throttle, api(StageAPI, 403, "ErrorExceededMessageLimit", "")},
		{54, "quota_exceeded", Throttle, at(gmail, reply(StageDot, 550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail|5.4.5 sending limits go to|5.4.5  https://support.google.com/a/answer/166852 x - gsmtp"))},
		{54, "quota_exceeded", Throttle, reply(StageRcpt, 550, "5.7.1 Daily SMTP relay limit exceeded for customer.")},
		{55, "quota_exceeded", Throttle, at("smtp.ionos.de", reply(StageRcpt, 450, "Requested mail action not taken: mailbox unavailable|Mail send limit exceeded."))},
		{56, "quota_exceeded", Throttle, at("securesmtp.t-online.de", reply(StageDot, 550, "Send quota exceeded"))},
		{56, "quota_exceeded", Throttle, reply(StageDot, 550, "5.7.1 Your mail limit has been reached")},
		{56, "quota_exceeded", Throttle, reply(StageRcpt, 550, "Domain acme.example has exceeded the max emails per hour (100/100 (100%)) allowed. Message will be reattempted later")},
		{57, "rate_limited", Throttle, reply(StageMail, 451, "4.7.500 Server busy. Please try again later from [192.0.2.7]. (S77719)")},
		{57, "rate_limited", Throttle, reply(StageDot, 421, "4.7.28 Our system has detected an unusual rate of unsolicited mail")},
		{115, "rate_limited", Throttle, reply(StageRcpt, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly.")},
		{57, "rate_limited", Throttle, reply(StageRcpt, 421, "Rate limit reached. Please try again later")},
		{58, "rate_limited", Throttle, api(StageAPI, 429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")},
		{58, "rate_limited", Throttle, api(StageAPI, 403, "userRateLimitExceeded", "")},
		{58, "rate_limited", Throttle, api(StageAPI, 429, "ErrorServerBusy", "The server is busy.")},
		{59, "too_many_recipients", Transient, reply(StageRcpt, 452, "4.5.3 Your message has too many recipients.")},
		{59, "too_many_recipients", Transient, reply(StageRcpt, 550, "5.5.3 Too many recipients for this sender")},
		{60, "recipient_unknown", Permanent, reply(StageRcpt, 550, "5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in virtual mailbox table")},
		{60, "recipient_unknown", Permanent, reply(StageRcpt, 550, "5.1.1 The email account that you tried to reach does not exist. Please try|5.1.1 double-checking the recipient's email address")},
		{60, "recipient_unknown", Permanent, reply(StageRcpt, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup")},
		{60, "recipient_unknown", Permanent, reply(StageRcpt, 551, "User not local")},
		{60, "recipient_unknown", Permanent, reply(StageRcpt, 550, "5.4.1 Recipient address rejected: Access denied.")},
		{61, "recipient_invalid", Permanent, reply(StageRcpt, 501, "5.1.3 Bad recipient address syntax")},
		{61, "recipient_invalid", Permanent, reply(StageRcpt, 553, "5.1.3 The recipient address is not a valid RFC 5321 address.")},
		{61, "recipient_invalid", Permanent, api(StageAPI, 400, "ErrorInvalidRecipients", "")},
		{61, "recipient_invalid", Permanent, api(StageAPI, 400, "invalidArgument", "Invalid To header")},
		{61, "recipient_invalid", Permanent, broken(StageRcpt, fmt.Errorf("xn: %w", rohrpost.ErrAddress))},
		{62, "recipient_domain", Permanent, reply(StageRcpt, 550, "5.1.2 <a@nowhere.example>: Recipient address rejected: Domain not found")},
		{62, "recipient_domain", Transient, reply(StageRcpt, 450, "4.1.2 <a@nowhere.example>: Recipient address rejected: Domain not found")},
		{62, "recipient_domain", Permanent, reply(StageRcpt, 556, "5.1.10 Recipient address has null MX")},
		{62, "recipient_domain", Permanent, reply(StageRcpt, 556, "5.1.10 no")},
		{62, "recipient_domain", Permanent, reply(StageRcpt, 550, "5.4.4 Unable to route")},
		{63, "mailbox_full", Transient, reply(StageRcpt, 452, "4.2.2 The recipient's inbox is out of storage space")},
		{64, "mailbox_full", Permanent, reply(StageRcpt, 552, "5.2.2 The email account that you tried to reach is over quota")},
		{64, "mailbox_full", Permanent, reply(StageRcpt, 554, "Mailbox full")},
		{65, "recipient_disabled", Permanent, reply(StageRcpt, 550, "5.2.1 The email account that you tried to reach is inactive.")},
		{65, "recipient_disabled", Permanent, reply(StageRcpt, 525, "5.7.13 User Account Disabled")},
		{66, "recipient_policy", Permanent, reply(StageRcpt, 550, "5.7.1 Delivery not authorized, message refused")},
		{66, "recipient_policy", Permanent, reply(StageRcpt, 550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup")},
		{66, "recipient_policy", Throttle, reply(StageRcpt, 550, "5.2.121 Recipient's hourly message receive limit exceeded")},
		{67, "greylisted", Transient, reply(StageRcpt, 450, "4.2.0 <a@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example/")},
		{67, "greylisted", Transient, reply(StageRcpt, 451, "4.7.1 Please try again later")},
		{68, "relay_denied", Config, reply(StageRcpt, 554, "5.7.1 <a@example.org>: Relay access denied")},
		{68, "relay_denied", Config, reply(StageRcpt, 550, "5.7.64 TenantAttribution; Relay Access Denied")},
		{68, "relay_denied", Config, reply(StageMail, 550, "5.7.0 Mail relay denied [192.0.2.7]. Invalid credentials for relay")},
		{69, "message_too_large", Permanent, reply(StageMail, 552, "5.3.4 Message size exceeds fixed limit")},
		{69, "message_too_large", Permanent, reply(StageDot, 552, "5.2.3 Your message exceeded Google's message size limits.")},
		{69, "message_too_large", Permanent, broken(StageMail, fmt.Errorf("36 MiB: %w", ErrTooLarge))},
		{69, "message_too_large", Permanent, api(StageAPI, 413, "", "")},
		{70, "content_rejected", Permanent, reply(StageDot, 550, "5.7.1 Refused by local policy. No SPAM please! (B-EX 24)")},
		{70, "content_rejected", Permanent, reply(StageDot, 550, "5.7.1 Our system has detected that this message is likely unsolicited mail.")},
		{70, "content_rejected", Permanent, reply(StageDot, 571, "Message contains spam")},
		{71, "content_rejected", Permanent, reply(StageDot, 552, "5.7.0 This message was blocked because its content presents a potential|5.7.0 security issue. illegal attachment")},
		{71, "content_rejected", Permanent, reply(StageDot, 550, "5.7.1 Refused by local policy. (B-ATTACH)")},
		{72, "content_rejected", Permanent, at(gmx, reply(StageDot, 554, "Transaction failed|Reject due to policy restrictions.|For explanation visit https://postmaster.gmx.net/en/case?c=hi&i=ip&v=192.0.2.7"))},
		{73, "message_malformed", Permanent, reply(StageDot, 550, "5.6.11 SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds")},
		{73, "message_malformed", Permanent, reply(StageDot, 554, "5.6.0 Mail message is malformed. Not accepted.")},
		{73, "message_malformed", Permanent, reply(StageDot, 550, "5.7.1 Messages missing a valid Message-ID header are not accepted.")},
		{73, "message_malformed", Permanent, api(StageAPI, 400, "ErrorMimeContentInvalidBase64String", "")},
		{73, "message_malformed", Permanent, api(StageAPI, 400, "invalidArgument", "Invalid MIME message")},
		{74, "address_needs_utf8", Permanent, reply(StageRcpt, 553, "5.6.7 Non-ASCII addresses not permitted")},
		{74, "address_needs_utf8", Permanent, broken(StageRcpt, ErrNeedsSMTPUTF8)},
		{75, "sender_auth", Permanent, reply(StageDot, 550, "5.7.26 This mail has been blocked because the sender is unauthenticated.")},
		{75, "sender_auth", Permanent, reply(StageDot, 550, "5.7.509 Access denied, sending domain acme.example does not pass DMARC verification")},
		{75, "sender_auth", Permanent, reply(StageDot, 550, "5.7.30 DKIM did not pass")},
		{75, "sender_auth", Transient, reply(StageDot, 421, "4.7.26 This mail is unauthenticated")},
		{76, "reputation_blocked", Permanent, reply(StageRcpt, 554, "5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org")},
		{76, "reputation_blocked", Config, reply(StageMail, 550, "5.7.606 Access denied, banned sending IP [192.0.2.7]")},
		{77, "temporary_server", Transient, reply(StageRcpt, 451, "Requested action aborted: local error in processing")},
		{77, "temporary_server", Transient, reply(StageMail, 452, "4.3.1 Insufficient system storage")},
		{77, "temporary_server", Transient, reply(StageDot, 450, "4.4.2 Connection dropped")},
		{78, "protocol_error", Permanent, reply(StageMail, 555, "5.5.4 Unsupported option: ENVID")},
		{78, "protocol_error", Permanent, reply(StageRcpt, 503, "5.5.1 Bad sequence of commands")},
		{78, "protocol_error", Permanent, reply(StageData, 500, "what?")},
		{79, "expired", Expired, broken(StageWorker, ErrExpired)},
		{79, "expired", Permanent, reply(StageDot, 550, "5.4.300 Message expired")},
		{73, "message_malformed", Permanent, broken(StageWorker, fmt.Errorf("header: %w", ErrMalformed))},
		{122, "timeout", Transient, broken(StageWorker, fmt.Errorf("compose: %w", ErrUnwritten))},
		{107, "unknown", Transient, broken(StageWorker, fmt.Errorf("lease: %w", ErrInterrupted))},
		{108, "unknown", Permanent, broken(StageWorker, fmt.Errorf("by hand: %w", ErrArchived))},
		{116, "unknown", Permanent, broken(StageWorker, fmt.Errorf("task: %w", ErrLost))},
		{117, "unknown", Permanent, broken(StageWorker, ErrDeleted)},
		{118, "unknown", Permanent, broken(StageWorker, ErrRolledBack)},
		{112, "rate_limited", Throttle, broken(StageWorker, fmt.Errorf("%w: 30 a minute", ErrRateWait))},
		{113, "rate_limited", Throttle, broken(StageWorker, ErrBusyWait)},
		{125, "rate_limited", Throttle, broken(StageWorker, &Busy{Connections: 2})},
		{114, "host_unreachable", Throttle, broken(StageWorker, ErrDownWait)},
		{80, "config_invalid", Config, broken(StageWorker, fmt.Errorf("no host: %w", ErrSettings))},
		{81, "unknown", Transient, reply(StageRcpt, 450, "xyzzy")},
		{81, "unknown", Permanent, reply(StageRcpt, 599, "xyzzy")},

		{101, "connection_lost", Transient, broken(StageRcpt, read(context.Canceled))},
		{102, "config_invalid", Config, broken(StageTLS, certificate(x509.SystemRootsError{}))},
		{103, "protocol_error", Transient, broken(StageBanner, textproto.ProtocolError("short response: * OK IMAP4rev1 ready"))},
		{104, "config_invalid", Config, reply(StageEHLO, 501, "5.5.4 Invalid domain name")},
		{105, "auth_failed", Config, reply(StageAuth, 535, "5.7.139 Authentication unsuccessful, the user credentials were incorrect.")},
		{106, "unknown", Transient, broken(StageWorker, errors.New("panic: index out of range"))},
		{106, "unknown", Transient, broken(StageToken, errors.New("the token store does not answer"))},
		{25, "oauth_expired", Config, Cause{Stage: StageAuth, APICode: "XOAUTH2", Reply: Reply{Code: 535, Lines: []string{"5.7.8 Username and Password not accepted. gsmtp"}}}},
		{20, "auth_disabled", Config, Cause{Stage: StageAuth, APICode: "XOAUTH2", Reply: Reply{Code: 535, Lines: []string{"5.7.139 SmtpClientAuthentication is disabled for the Tenant."}}}},
		{120, "recipient_policy", Transient, reply(StageRcpt, 450, "host mx.example.net[192.0.2.9] said: 421 too many connections")},
		{120, "recipient_policy", Permanent, reply(StageDot, 550, "host mx.example.net[192.0.2.9] said: 550 5.1.8 bad outbound sender")},
		{121, "config_invalid", Config, broken(StageAuth, fmt.Errorf("%w: 2000000000 iterations", ErrCostlyLogin))},
		{111, "config_invalid", Config, broken(StageConnect, fmt.Errorf("dial: %w", ErrNotAllowed))},
		{109, "oauth_expired", Config, api(StageToken, 400, "invalid_grant", "Invalid JWT Signature.")},
		{123, "config_invalid", Config, broken(StageWorker, fmt.Errorf("tenant/acme: %w", ErrMisplaced))},
		{124, "config_invalid", Config, broken(StageWorker, fmt.Errorf("no key: %w", ErrSealed))},
		{126, "account_blocked", Config, reply(StageMail, 502, "5.7.0 Your SMTP account is not yet activated.")},
		{127, "rate_limited", Transient, reply(StageData, 452, "4.4.5 Maximum number of messages per session exceeded.")},
		{128, "oauth_expired", Config, Cause{Stage: StageAuth, Session: Session{Login: LoginApp}, Reply: Reply{Code: 535, Lines: []string{"5.7.3 Authentication unsuccessful"}}}},
		{128, "oauth_expired", Config, Cause{Stage: StageToken, APICode: "invalid_grant", Session: Session{Login: LoginApp}, Reply: Reply{Code: 400, Lines: []string{"gone"}}}},
		{129, "sender_rejected", Config, Cause{Stage: StageRcpt, Session: Session{Sender: "info@x.example", Recipient: "kunde@example.org"}, Reply: Reply{Code: 550, Lines: []string{"<info@x.example> rejected"}}}},
		{130, "recipient_unknown", Permanent, reply(StageRcpt, 550, "Unrouteable address")},
		{131, "unknown", Permanent, reply(StageRcpt, 550, "no")},
		{132, "temporary_server", Transient, reply(StageDot, 554, "Message not accepted, try again later")},
		{132, "temporary_server", Transient, reply(StageDot, 550, "5.7.1 spam; please try again later")},
		{132, "temporary_server", Transient, reply(StageMail, 550, "Service temporarily unavailable")},
	}
	seen := map[int]bool{}
	for _, tt := range tests {
		seen[tt.rule] = true
		name := fmt.Sprintf("%d %s %d %.60s", tt.rule, tt.cause.Stage, tt.cause.Reply.Code, tt.cause.Reply.Text())
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Classify(tt.cause)
			if f.Rule != tt.rule || f.Category != tt.category || f.Class != tt.class {
				t.Errorf("rule %d %s %s, want %d %s %s: %v", f.Rule, f.Category, f.Class, tt.rule, tt.category, tt.class, f)
			}
		})
	}
	for n := 1; n <= 81; n++ {
		if !seen[n] {
			t.Errorf("row %d has no test", n)
		}
	}
	for n := range table().rules {
		if !seen[n] && n != centralSender {
			t.Errorf("rule %d has no test", n)
		}
	}
}

func TestClassifyKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	if f := Classify(Cause{Stage: StageRcpt}); f != nil {
		t.Errorf("a cause without error and reply is no failure: %v", f)
	}
	cause := &textproto.Error{Code: 550, Msg: "Requested action not taken: mailbox unavailable\n5.1.1 User unknown"}
	f := Classify(Cause{Stage: StageRcpt, Err: fmt.Errorf("rcpt: %w", cause)})
	got := *f
	got.cause = nil
	want := Failure{
		Stage: StageRcpt, Class: Permanent, Category: "recipient_unknown", Rule: 60, Code: 550, Enhanced: "5.1.1",
		Diagnostic: "Requested action not taken: mailbox unavailable / 5.1.1 User unknown",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Failure{})); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(f, cause) {
		t.Error("the cause is lost")
	}
	const text = "rcpt: 550 5.1.1 recipient_unknown: Requested action not taken: mailbox unavailable / 5.1.1 User unknown"
	if f.Error() != text {
		t.Errorf("Error is %q", f.Error())
	}
}

func TestEnhanced(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		code int
		text string
		want string
	}{
		{"plain", 550, "5.1.1 no", "5.1.1"},
		{"in the second line", 550, "mailbox unavailable 5.1.1 no", "5.1.1"},
		{"contradicts the reply", 450, "5.1.1 no", ""},
		{"the one that agrees", 530, "4.7.0 x; 5.7.57 y", "5.7.57"},
		{"IP address", 550, "[5.1.2.3] blocked", ""},
		{"end of an IP address", 550, "[192.5.1.2]", ""},
		{"end of the sentence", 550, "status 5.2.2.", "5.2.2"},
		{"none", 550, "no", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := findEnhanced([]string{tt.text}, tt.code).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
