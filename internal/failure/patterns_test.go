package failure

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"testing"
)

// TestPatterns has what the rows of the reference table name besides the replies
// of TestRows: every code, name and wording of a pattern leads to its row. The
// expectations do not come from rules.yaml.
func TestPatterns(t *testing.T) {
	t.Parallel()
	const m365, gmail, gmx, ionos = "smtp.office365.com", "smtp.gmail.com", "mail.gmx.net", "smtp.ionos.de"
	for _, row := range []struct {
		rule     int
		category string
		class    Class
		causes   []Cause
	}{
		{2, "dns_failure", Transient, []Cause{broken(StageConnect, errors.New("lookup smtp.example.org: server misbehaving")), broken(StageConnect, &net.DNSError{IsTimeout: true})}},
		{8, "certificate_invalid", Config, []Cause{broken(StageTLS, x509.UnknownAuthorityError{})}},
		{10, "certificate_invalid", Transient, []Cause{broken(StageTLS, x509.CertificateInvalidError{Reason: x509.Expired, Detail: "current time is before 2026-05-01"})}},
		{11, "tls_failure", Config, []Cause{broken(StageTLS, errors.New("remote error: tls: handshake failure")), broken(StageTLS, errors.New("remote error: tls: protocol version not supported"))}},
		{14, "tls_failure", Config, []Cause{reply(StageMail, 530, "Must issue a STARTTLS command first"), reply(StageAuth, 523, "no"), reply(StageMail, 550, "5.7.10 no"), reply(StageAuth, 550, "5.7.11 no")}},
		{15, "reputation_blocked", Config, []Cause{reply(StageBanner, 554, "no"), reply(StageBanner, 554, "Bad DNS PTR resource record"), reply(StageEHLO, 554, "No SMTP service")}},
		{16, "temporary_server", Transient, []Cause{reply(StageBanner, 421, "Service not available"), reply(StageRcpt, 421, "closing channel"), reply(StageDot, 421, "4.4.2 closing")}},
		{17, "rate_limited", Throttle, []Cause{
			reply(StageBanner, 421, "Too many concurrent connections"), reply(StageMail, 450, "too many connections from your host"),
			reply(StageRcpt, 454, "too many sessions"), reply(StageRcpt, 421, "4.7.0 mail.example.org Error: too many|4.7.0 connections from 192.0.2.7"),
			reply(StageMail, 421, "connection limit exceeded"),
		}},
		{18, "rate_limited", Throttle, []Cause{at(m365, reply(StageMail, 432, "no"))}},
		{19, "auth_failed", Config, []Cause{reply(StageAuth, 535, "no"), reply(StageAuth, 535, "5.7.8 no")}},
		{22, "auth_disabled", Config, []Cause{reply(StageAuth, 535, "5.7.139 AADSTS530035: no")}},
		{26, "app_password_required", Config, []Cause{reply(StageAuth, 534, "Application-specific|password required"), reply(StageAuth, 535, "5.7.9 no")}},
		{27, "account_verification", Config, []Cause{reply(StageAuth, 534, "5.7.14 no"), reply(StageAuth, 534, "Please log in|with your web browser")}},
		{28, "auth_failed", Config, []Cause{at(ionos, reply(StageAuth, 535, "no")), reply(StageAuth, 535, "Authentication credentials invalid")}},
		{32, "temporary_server", Transient, []Cause{reply(StageAuth, 450, "no"), reply(StageAuth, 454, "4.7.0 no")}},
		{33, "config_invalid", Config, []Cause{reply(StageAuth, 504, "5.5.4 no"), reply(StageAuth, 502, "AUTH not available"), reply(StageAuth, 503, "no")}},
		{34, "auth_required", Config, []Cause{reply(StageRcpt, 530, "no"), reply(StageMail, 550, "5.7.57 no"), reply(StageMail, 550, "Client not authenticated")}},
		{35, "oauth_expired", Config, []Cause{
			api(StageToken, 400, "invalid_grant", "AADSTS70008"), api(StageToken, 400, "invalid_grant", "AADSTS50173"), api(StageToken, 400, "invalid_grant", "AADSTS700084"),
		}},
		{36, "oauth_interaction", Config, []Cause{
			api(StageToken, 400, "invalid_grant", "AADSTS50079"), api(StageToken, 400, "invalid_grant", "AADSTS50074"), api(StageToken, 400, "invalid_grant", "AADSTS53003"),
			api(StageToken, 400, "invalid_grant", "AADSTS50158"), api(StageToken, 400, "invalid_rapt", ""),
		}},
		{37, "oauth_consent", Config, []Cause{
			api(StageToken, 400, "invalid_grant", "AADSTS65004"), api(StageToken, 400, "invalid_grant", "AADSTS90094"), api(StageToken, 400, "invalid_grant", "AADSTS650056"),
			api(StageToken, 400, "consent_required", ""), api(StageToken, 403, "access_denied", ""), api(StageToken, 403, "org_internal", ""),
		}},
		{38, "oauth_client", Config, []Cause{
			api(StageToken, 401, "invalid_client", "AADSTS7000215"), api(StageToken, 401, "invalid_client", "AADSTS700027"), api(StageToken, 401, "deleted_client", ""),
		}},
		{39, "oauth_client", Config, []Cause{api(StageToken, 400, "unauthorized_client", "AADSTS70001"), api(StageToken, 400, "unauthorized_client", "")}},
		{40, "auth_failed", Config, []Cause{
			api(StageToken, 400, "invalid_grant", "AADSTS50057"), api(StageToken, 400, "invalid_grant", "AADSTS50055"),
			api(StageToken, 400, "invalid_grant", "AADSTS50126"), api(StageToken, 400, "invalid_grant", "AADSTS50034"),
		}},
		{41, "oauth_temporary", Transient, []Cause{
			api(StageToken, 400, "server_error", ""), api(StageToken, 400, "invalid_grant", "AADSTS90033"), api(StageToken, 400, "invalid_grant", "AADSTS50033"), api(StageToken, 400, "", "AADSTS90024"),
		}},
		{42, "rate_limited", Throttle, []Cause{api(StageToken, 400, "invalid_request", "AADSTS90055")}},
		{43, "sender_rejected", Config, []Cause{reply(StageMail, 550, "5.7.60 no"), reply(StageDot, 550, "5.2.252 no")}},
		{46, "sender_rejected", Config, []Cause{reply(StageMail, 553, "5.1.7 no"), reply(StageMail, 550, "5.1.8 no"), reply(StageRcpt, 550, "5.1.8 <a@nowhere.example>: Sender address rejected: Domain not found")}},
		{47, "account_blocked", Config, []Cause{reply(StageDot, 550, "5.7.502 no"), reply(StageDot, 550, "5.7.503 no"), api(StageAPI, 403, "ErrorAccountSuspend", "")}},
		{48, "account_blocked", Config, []Cause{reply(StageDot, 550, "5.7.708 no"), reply(StageDot, 550, "5.7.750 no")}},
		{49, "sender_mailbox_full", Config, []Cause{api(StageAPI, 403, "ErrorQuotaExceeded", "")}},
		{50, "mailbox_not_found", Transient, []Cause{reply(StageDot, 430, "4.2.0 STOREDRV.ClientSubmit; mailbox logon|4.2.0 failure"), reply(StageDot, 430, "MapiExceptionLogonFailed")}},
		{51, "mailbox_not_found", Config, []Cause{api(StageAPI, 404, "ErrorInvalidUser", ""), api(StageAPI, 404, "ResourceNotFound", "")}},
		{52, "oauth_consent", Config, []Cause{api(StageAPI, 403, "Authorization_RequestDenied", ""), api(StageAPI, 403, "", "")}},
		{53, "quota_exceeded", Throttle, []Cause{reply(StageDot, 550, "5.1.90 no"), reply(StageDot, 550, "5.7.232 no"), reply(StageDot, 550, "5.7.236 no")}},
		{54, "quota_exceeded", Throttle, []Cause{at(gmail, reply(StageRcpt, 550, "5.4.5 no")), reply(StageDot, 550, "5.4.5 Daily sending|5.4.5 quota exceeded")}},
		{55, "quota_exceeded", Throttle, []Cause{at(gmx, reply(StageRcpt, 450, "mailbox unavailable|Mail send limit|exceeded."))}},
		{56, "quota_exceeded", Throttle, []Cause{reply(StageDot, 552, "message count quota exceeded"), reply(StageRcpt, 550, "max emails per hour")}},
		{57, "rate_limited", Throttle, []Cause{
			reply(StageDot, 451, "4.7.650 no"), reply(StageMail, 451, "4.7.699 no"), reply(StageRcpt, 451, "Rate limit exceeded"),
		}},
		{115, "rate_limited", Throttle, []Cause{reply(StageRcpt, 450, "4.2.1 The user you are trying to contact is|4.2.1 receiving mail too quickly. gsmtp")}},
		{58, "rate_limited", Throttle, []Cause{
			api(StageAPI, 429, "", ""), api(StageAPI, 429, "MailboxConcurrency", ""), api(StageAPI, 403, "rateLimitExceeded", ""),
		}},
		{59, "too_many_recipients", Transient, []Cause{reply(StageRcpt, 452, "4.5.3 no"), reply(StageRcpt, 550, "5.5.3 no")}},
		{60, "recipient_unknown", Permanent, []Cause{
			reply(StageRcpt, 550, "5.1.6 no"), reply(StageRcpt, 550, "no such user here"), reply(StageDot, 550, "No such recipient"),
			reply(StageRcpt, 551, "no"), reply(StageDot, 550, "5.1.10 no"), reply(StageDot, 554, "user unknown"),
		}},
		{131, "unknown", Permanent, []Cause{reply(StageRcpt, 550, "no"), reply(StageRcpt, 553, "no"), reply(StageDot, 554, "Transaction failed"), reply(StageDot, 550, "5.7.1 no"), reply(StageRcpt, 550, "Requested action not taken: mailbox unavailable")}},
		{61, "recipient_invalid", Permanent, []Cause{reply(StageRcpt, 501, "Malformed address"), reply(StageRcpt, 553, "5.1.3 no")}},
		{62, "recipient_domain", Permanent, []Cause{reply(StageRcpt, 556, "no"), reply(StageDot, 550, "5.4.310 no"), reply(StageRcpt, 550, "null MX")}},
		{63, "mailbox_full", Transient, []Cause{reply(StageRcpt, 450, "4.2.2 no"), reply(StageRcpt, 452, "over quota")}},
		{64, "mailbox_full", Permanent, []Cause{reply(StageRcpt, 550, "5.2.2 no"), reply(StageRcpt, 554, "5.2.2 no"), reply(StageRcpt, 552, "no"), reply(StageDot, 550, "quota exceeded")}},
		{65, "recipient_disabled", Permanent, []Cause{reply(StageRcpt, 550, "5.2.1 no"), reply(StageRcpt, 550, "mailbox is disabled"), reply(StageRcpt, 550, "5.7.13 no")}},
		{66, "recipient_policy", Permanent, []Cause{
			reply(StageRcpt, 550, "5.7.12 no"), reply(StageDot, 550, "5.7.124 no"), reply(StageDot, 550, "5.7.134 no"), reply(StageRcpt, 550, "5.7.136 no"),
		}},
		{66, "recipient_policy", Throttle, []Cause{reply(StageDot, 550, "5.2.122 no")}},
		{67, "greylisted", Transient, []Cause{reply(StageRcpt, 450, "graylisted"), reply(StageRcpt, 451, "4.2.0 try again in 5 minutes"), reply(StageRcpt, 450, "4.7.1 Try again|4.7.1 later")}},
		{68, "relay_denied", Config, []Cause{reply(StageRcpt, 550, "relaying denied"), reply(StageRcpt, 550, "5.7.64 no"), reply(StageRcpt, 554, "Mail relay denied")}},
		{69, "message_too_large", Permanent, []Cause{api(StageAPI, 413, "ErrorMessageSizeExceeded", ""), reply(StageDot, 552, "5.2.3 no"), reply(StageMail, 552, "no")}},
		{70, "content_rejected", Permanent, []Cause{reply(StageDot, 554, "This is SPAM"), reply(StageDot, 550, "likely unsolicited|mail")}},
		{71, "content_rejected", Permanent, []Cause{reply(StageDot, 554, "virus found"), reply(StageDot, 552, "5.7.0 illegal|5.7.0 attachment")}},
		{72, "content_rejected", Permanent, []Cause{at(gmx, reply(StageDot, 554, "Transaction failed|Reject due to policy|restrictions.|c=hd"))}},
		{73, "message_malformed", Permanent, []Cause{
			reply(StageDot, 550, "5.7.512 no"), reply(StageDot, 554, "5.6.3 no"), reply(StageDot, 550, "Messages missing a valid From are not accepted"), api(StageAPI, 400, "ErrorMimeContentInvalid", ""),
		}},
		{74, "address_needs_utf8", Permanent, []Cause{reply(StageRcpt, 550, "5.6.7 no"), reply(StageDot, 553, "5.6.7 no")}},
		{75, "sender_auth", Permanent, []Cause{
			reply(StageDot, 550, "5.7.27 no"), reply(StageDot, 550, "5.7.23 no"), reply(StageDot, 550, "5.7.20 no"), reply(StageDot, 550, "5.7.22 no"),
		}},
		{75, "sender_auth", Transient, []Cause{reply(StageDot, 451, "4.7.24 no"), reply(StageDot, 421, "4.7.30 no")}},
		{76, "reputation_blocked", Permanent, []Cause{
			reply(StageRcpt, 554, "listed at bl.example.org"), reply(StageRcpt, 550, "on our block list"), reply(StageDot, 550, "5.7.511 no"),
			reply(StageDot, 550, "5.7.649 no"), reply(StageDot, 550, "very low reputation of the sending IP"), reply(StageRcpt, 550, "5.7.1 banned|5.7.1 sending IP"),
		}},
		{77, "temporary_server", Transient, []Cause{reply(StageRcpt, 451, "no"), reply(StageRcpt, 450, "4.3.5 no"), reply(StageDot, 452, "insufficient system|storage")}},
		{78, "protocol_error", Permanent, []Cause{
			reply(StageMail, 501, "no"), reply(StageRcpt, 502, "no"), reply(StageData, 504, "no"), reply(StageRcpt, 550, "5.5.1 no"), reply(StageRcpt, 550, "5.5.2 no"), reply(StageMail, 555, "no"),
		}},
		{80, "config_invalid", Config, []Cause{broken(StageWorker, fmt.Errorf("the password cannot be opened: %w", ErrSettings))}},
		{81, "unknown", Transient, []Cause{reply(StageDot, 499, "no")}},
	} {
		for i, c := range row.causes {
			t.Run(fmt.Sprintf("%d %d", row.rule, i), func(t *testing.T) {
				t.Parallel()
				f := Classify(c)
				if f.Rule != row.rule || f.Category != row.category || f.Class != row.class {
					t.Errorf("rule %d %s %s, want %d %s %s: %v", f.Rule, f.Category, f.Class, row.rule, row.category, row.class, f)
				}
				checkSane(t, c)
			})
		}
	}
}
