package failure

import (
	"fmt"
	"testing"
)

// TestWordings has what providers and servers say in public documentation and reports,
// in other words than those of TestServers. The source of each is in its comment.
func TestWordings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stage       Stage
		login, text string
		class       Class
		category    string
	}{
		// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
		{StageData, "yes", "454 Throttling failure: Maximum sending rate exceeded.", Throttle, "rate_limited"},
		{StageDot, "yes", "454 Throttling failure: Daily message quota exceeded.", Throttle, "quota_exceeded"},
		// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
		{StageDot, "yes", "554 Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.", Config, "account_blocked"},
		// https://support.prolateral.com, what does SMTP 554 5.7.1 mean
		{StageRcpt, "yes", "554 5.7.1 <kunde@example.org>: Recipient address rejected: You have exceeded your Outmail quota.", Throttle, "quota_exceeded"},
		// https://support.junara.com, email sending limits
		{StageDot, "yes", "550 You've reached your sending limit. Don't worry you can send again soon.", Throttle, "quota_exceeded"},
		// https://support.startmail.com, Gesendet/Empfangen-Limit
		{StageDot, "yes", "550 5.7.1 Your mail limit has been reached.", Throttle, "quota_exceeded"},
		// postfwd, README.default-rate-limits; rubymonsters/speakerinnen_liste issue 1357
		{StageDot, "yes", "450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Number messages per hour exceeded. Error:RATE_MSG", Throttle, "quota_exceeded"},
		{StageRcpt, "yes", "450 4.7.1 <kunde@example.org>: Recipient address rejected: only 5 recipients per 5 minutes allowed", Throttle, "rate_limited"},
		// deltachat/deltachat-core issue 647
		{StageData, "yes", "554 5.7.1 <DATA>: Data command rejected: limit of 400 rcpts per 24 hours for client info@x.example reached", Throttle, "quota_exceeded"},
		// aschroder/Magento-SMTP-Pro-Email-Extension issue 94
		{StageDot, "yes", "550 sorry, too many emails (#5.7.1)", Throttle, "rate_limited"},
		// Mailu/Mailu issue 2416
		{StageRcpt, "yes", "450 4.7.1 <info@x.example>: SASL login name rejected: You are sending too many emails too fast.", Throttle, "rate_limited"},
		// mailcow/mailcow-dockerized issue 1497
		{StageDot, "yes", `451 4.7.1 Ratelimit "user" exceeded`, Throttle, "rate_limited"},
		// https://demo.adeska.de knowledge base 133; cPanel
		{StageRcpt, "yes", "550 Domain x.example has exceeded the max defers and failures per hour (5/5 (38%)) allowed. Message discarded.", Throttle, "quota_exceeded"},
		// https://www.twilio.com/docs/sendgrid, SMTP errors and troubleshooting
		{StageAuth, "yes", "451 Authentication failed: Maximum credits exceeded", Throttle, "quota_exceeded"},
		{StageMail, "yes", "450 too frequent connects from 198.51.100.7, please try again later.", Throttle, "rate_limited"},
		{StageRcpt, "yes", "452 Too many recipients received this hour (throttled)", Throttle, "quota_exceeded"},
		// https://www.authsmtp.com/smtp-error-codes: 443, 500
		{StageDot, "yes", "443 Account is at / over message quota", Throttle, "quota_exceeded"},
		{StageMail, "yes", "500 Envelope from address info@x.example is not authorised", Config, "sender_rejected"},
		// https://www.zoho.com/zeptomail/help/api/smtp-error-codes.html
		{StageRcpt, "yes", "552 Relaying disallowed as info@x.example", Config, "sender_rejected"},
		// https://help.zoho.com, issue with outgoing mail
		{StageMail, "yes", "554 5.1.8 Sender Address Blocked", Config, "account_blocked"},
		// https://kb.mailbox.org, sending e-mails with non-registered mail addresses
		{StageRcpt, "yes", "553 5.7.1 <info@x.example>: Sender address rejected: not owned by user real@mailbox.example", Config, "sender_rejected"},
		// blog.sina.com.cn, replies of NetEase
		{StageDot, "yes", "554 sender is unvalidated.", Config, "sender_rejected"},
		{StageMail, "yes", "550 user is locked.", Config, "account_blocked"},
		// Monstarrrr/rebutify issue 162: Mailgun
		{StageMail, "yes", "421 Domain sandbox1.mailgun.org is not allowed to send: Please activate your Mailgun account.", Config, "account_blocked"},
		{StageDot, "yes", "550 Domain sandbox1.mailgun.org is not allowed to send: Free accounts are for test purposes only.", Config, "account_blocked"},
		// gophish/gophish issue 720: SMTP2GO
		{StageMail, "yes", "552 Your account has been suspended. Please contact us to reactivate", Config, "account_blocked"},
		// unix.stackexchange.com 91749, and postconf(5) reject_unknown_helo_hostname
		{StageRcpt, "yes", "404 4.5.2 <PLLAMNAZIFE>: Helo command rejected: need fully-qualified hostname", Config, "config_invalid"},
		{StageRcpt, "yes", "450 4.7.1 <styx>: Helo command rejected: Host not found", Config, "config_invalid"},
		// cPanel's Exim
		{StageRcpt, "yes", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Config, "config_invalid"},
		{StageMail, "no", "550 SMTP AUTH is required for message submission on port 587", Config, "auth_required"},
		// jmaimon.com, sendmail's rcptauthsender
		{StageRcpt, "no", "550 5.7.1 You are required to authenticate to send email to kunde@example.org", Config, "auth_required"},
		// postconf(5), reject_unauthenticated_sender_login_mismatch
		{StageRcpt, "no", "553 5.7.1 <info@x.example>: Sender address rejected: not logged in", Config, "auth_required"},
		// qmail-smtpd(8)
		{StageRcpt, "no", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Config, "relay_denied"},
		// https://www.bytecamp.net/de/faq/email/zustellen.html
		{StageRcpt, "yes", "450 4.7.1 Client host rejected: cannot find your reverse hostname", Transient, "reputation_blocked"},
		// dovecot, Postfix with SASL: dovecot.org "Auth server is down"
		{StageAuth, "yes", "535 5.7.8 Error: authentication failed: authentication server unavailable", Transient, "temporary_server"},
		// Exchange: learn.microsoft.com, NDR 5.7.133
		{StageRcpt, "yes", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Permanent, "recipient_policy"},
	} {
		t.Run(fmt.Sprintf("%s %.60s", tt.stage, tt.text), func(t *testing.T) {
			t.Parallel()
			c := said(tt.stage, tt.login, tt.text)
			f := Classify(c)
			if f.Class != tt.class || f.Category != tt.category {
				t.Errorf("%s %s, want %s %s: rule %d, %v", f.Class, f.Category, tt.class, tt.category, f.Rule, f)
			}
			checkSane(t, c)
		})
	}
}

// TestNotOfThatKind: words that look like one of the kinds and are of another.
func TestNotOfThatKind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stage    Stage
		text     string
		class    Class
		category string
	}{
		{StageDot, "552 5.3.4 Message size exceeds fixed limit", Permanent, "message_too_large"},
		{StageDot, "554 Maximum message size for outgoing messages exceeded", Permanent, "message_too_large"},
		{StageRcpt, "552 5.2.2 Mailbox quota exceeded, no more messages are taken", Permanent, "mailbox_full"},
		{StageRcpt, "452 4.2.2 The email account that you tried to reach is over quota and inactive", Transient, "mailbox_full"},
		{StageRcpt, "452 4.5.3 Your message has too many recipients.", Transient, "too_many_recipients"},
		{StageRcpt, "550 5.2.1 The email account that you tried to reach is disabled.", Permanent, "recipient_disabled"},
		{StageRcpt, "550 account inactive", Permanent, "recipient_disabled"},
		{StageDot, "550 5.7.1 Unauthenticated email from x.example is not accepted due to domain's DMARC policy", Permanent, "sender_auth"},
		{StageDot, "550 5.7.1 This message is spam", Permanent, "content_rejected"},
		{StageRcpt, "550 5.1.1 User unknown", Permanent, "recipient_unknown"},
		{StageRcpt, "550 5.7.1 You are not allowed to post to this mailing list", Permanent, "recipient_policy"},
		{StageRcpt, "503 5.5.1 Error: send HELO/EHLO first", Permanent, "protocol_error"},
		{StageRcpt, "550 no", Permanent, "unknown"},
		{StageDot, "550 no", Permanent, "unknown"},
		{StageDot, "554 5.7.1 Message rejected by content filter", Permanent, "content_rejected"},
	} {
		c := said(tt.stage, "yes", tt.text)
		if f := Classify(c); f.Class != tt.class || f.Category != tt.category {
			t.Errorf("%s: %s %s, want %s %s: rule %d", tt.text, f.Class, f.Category, tt.class, tt.category, f.Rule)
		}
		checkSane(t, c)
	}
}
