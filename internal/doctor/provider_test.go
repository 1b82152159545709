package doctor_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestProviders are the replies of real providers: what is told, and what to
// click. Rows F5 (Microsoft 365) and F6 (Gmail) of the requirements.
func TestProviders(t *testing.T) {
	t.Parallel()
	const microsoft, google = "smtp.office365.com", "smtp.gmail.com"
	for _, c := range []struct {
		name     string
		host     string
		stage    smtptest.Stage
		answer   smtptest.Answer
		step     smtp.StepName
		category string
		en, de   []string // each is in the hints
		not      string   // none of the hints has it, in either language
	}{
		{
			"F5: switched off for the mailbox", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [FR3P281CA0096.DEUP281.PROD.OUTLOOK.COM]"),
			smtp.StepLogin, "auth_disabled",
			[]string{"Manage email apps", "\"Authenticated SMTP\""},
			[]string{"E-Mail-Apps verwalten", "„Authentifiziertes SMTP“"},
			"app password",
		},
		{
			"F5: switched off for the organisation", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled"),
			smtp.StepLogin, "auth_disabled",
			[]string{"Manage email apps", "\"Authenticated SMTP\""},
			[]string{"E-Mail-Apps verwalten", "„Authentifiziertes SMTP“"},
			"app password",
		},
		{
			"F5: two-factor authentication", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, the user credentials were incorrect. [FR3P281CA0096.DEUP281.PROD.OUTLOOK.COM]"),
			smtp.StepLogin, "auth_failed",
			[]string{"two-factor", "app password", "Security info"},
			[]string{"Zwei-Faktor", "App-Kennwort", "Sicherheitsinformationen"},
			"Authentifiziertes SMTP",
		},
		{
			"F5: passwords switched off", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, basic authentication is disabled."),
			smtp.StepLogin, "auth_disabled",
			[]string{"OAuth", "app password does not help"},
			[]string{"OAuth", "App-Passwort hilft nicht"},
			"E-Mail-Apps",
		},
		{
			"F5: passwords retired", microsoft, smtptest.AUTH,
			smtptest.Reply(550, "5.7.30 Basic authentication is not supported for Client Submission."),
			smtp.StepLogin, "auth_disabled",
			[]string{"OAuth"},
			[]string{"OAuth"},
			"E-Mail-Apps",
		},
		{
			"F5: security defaults", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator."),
			smtp.StepLogin, "auth_disabled",
			[]string{"security policy", "OAuth"},
			[]string{"Sicherheitsrichtlinie", "OAuth"},
			"E-Mail-Apps",
		},
		{
			"F5: conditional access", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator."),
			smtp.StepLogin, "auth_disabled",
			[]string{"security policy"},
			[]string{"Sicherheitsrichtlinie"},
			"E-Mail-Apps",
		},
		{
			"F5: without a reason", microsoft, smtptest.AUTH,
			smtptest.Reply(535, "5.7.3 Authentication unsuccessful [FR3P281CA0096.DEUP281.PROD.OUTLOOK.COM]"),
			smtp.StepLogin, "auth_failed",
			[]string{"Enter both again"},
			[]string{"Beides neu eingeben"},
			"E-Mail-Apps",
		},
		{
			"F5: not logged in", microsoft, smtptest.MAIL,
			smtptest.Reply(530, "5.7.57 Client not authenticated to send mail. [FR3P281CA0096.DEUP281.PROD.OUTLOOK.COM]"),
			smtp.StepSender, "auth_required",
			[]string{"authentication on"},
			[]string{"Authentifizierung einschalten"},
			"",
		},
		{
			"send as", microsoft, smtptest.MAIL,
			smtptest.Reply(550, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
			smtp.StepSender, "sender_rejected",
			[]string{"Send As"},
			[]string{"Senden als"},
			"",
		},
		{
			"F6: app password needed", google, smtptest.AUTH,
			smtptest.Reply(534, "5.7.9 Application-specific password required. For more information, go to", "5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor 4fb4d7f45d1cf-5c5 - gsmtp"),
			smtp.StepLogin, "app_password_required",
			[]string{"2-Step Verification", "myaccount.google.com/apppasswords"},
			[]string{"Bestätigung in zwei Schritten", "myaccount.google.com/apppasswords"},
			"",
		},
		{
			"F6: normal password", google, smtptest.AUTH,
			smtptest.Reply(535, "5.7.8 Username and Password not accepted. For more information, go to", "5.7.8  https://support.google.com/mail/?p=BadCredentials 4fb4d7f45d1cf-5c5 - gsmtp"),
			smtp.StepLogin, "auth_failed",
			[]string{"app password", "2-Step Verification", "myaccount.google.com/apppasswords"},
			[]string{"App-Passwort", "Bestätigung in zwei Schritten", "myaccount.google.com/apppasswords"},
			"Enter both again",
		},
		{
			"F6: unlock in the browser", google, smtptest.AUTH,
			smtptest.Reply(534, "5.7.14 <https://accounts.google.com/signin/continue?sarp=1> Please log in via your web browser and then try again. - gsmtp"),
			smtp.StepLogin, "account_verification",
			[]string{"web browser"},
			[]string{"im Browser"},
			"apppasswords",
		},
		{
			"too many logins", google, smtptest.AUTH,
			smtptest.Reply(454, "4.7.0 Too many login attempts, please try again later. - gsmtp"),
			smtp.StepLogin, "rate_limited",
			[]string{"another program"},
			[]string{"anderes Programm"},
			"apppasswords",
		},
		{
			"GMX not switched on", "mail.gmx.net", smtptest.AUTH,
			smtptest.Reply(535, "Authentication credentials invalid"),
			smtp.StepLogin, "auth_failed",
			[]string{"POP3/IMAP/SMTP", "application password"},
			[]string{"POP3/IMAP/SMTP", "anwendungsspezifisches Passwort"},
			"",
		},
		{
			"WEB.DE, sender of another", "smtp.web.de", smtptest.MAIL,
			smtptest.Reply(550, "Requested action not taken: mailbox unavailable", "Sender address is not allowed."),
			smtp.StepSender, "sender_rejected",
			[]string{"alias"},
			[]string{"Alias"},
			"",
		},
		{
			"T-Online", "securesmtp.t-online.de", smtptest.AUTH,
			smtptest.Reply(535, "5.7.8 Authentication failed"),
			smtp.StepLogin, "auth_failed",
			[]string{"password for e-mail programs"},
			[]string{"Passwort für E-Mail-Programme"},
			"",
		},
		{
			"Brevo", "smtp-relay.brevo.com", smtptest.AUTH,
			smtptest.Reply(535, "5.7.8 Authentication failed"),
			smtp.StepLogin, "auth_failed",
			[]string{"SMTP key"},
			[]string{"SMTP-Schlüssel"},
			"",
		},
		{
			"Mailjet", "in-v3.mailjet.com", smtptest.AUTH,
			smtptest.Reply(535, "5.7.8 Authentication failed"),
			smtp.StepLogin, "auth_failed",
			[]string{"secret key"},
			[]string{"der geheime Schlüssel"},
			"",
		},
		{
			"Postfix, sender of another", "smtp.mailbox.org", smtptest.MAIL,
			smtptest.Reply(553, "5.7.1 <max@acme.example>: Sender address rejected: not owned by user max@mailbox.org"),
			smtp.StepSender, "sender_rejected",
			[]string{"alias"},
			[]string{"Alias"},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clinic := clinicOf(t, c.host)
			clinic.On(c.stage, c.answer)
			for lang, want := range map[string][]string{"en": c.en, "de": c.de, "de-AT": c.de, "fr": c.en} {
				clinic.request.Language = lang
				report := clinic.Examine(t.Context(), clinic.request)
				got := step(t, report, c.step)
				hints := strings.Join(got.Hints, "\n")
				if report.Verdict != doctor.Failed || got.Verdict != doctor.Failed || got.Category != c.category {
					t.Errorf("%s: %s, %+v", lang, report.Verdict, got)
				}
				for _, w := range want {
					if !strings.Contains(hints, w) {
						t.Errorf("%s: the hints lack %q: %s", lang, w, hints)
					}
				}
				if c.not != "" && strings.Contains(hints, c.not) {
					t.Errorf("%s: the hints have %q: %s", lang, c.not, hints)
				}
			}
		})
	}
}

// TestF5IsDistinct: the three reasons have three hints in each language.
func TestF5IsDistinct(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		seen := map[string]bool{}
		for _, reason := range []string{
			"SmtpClientAuthentication is disabled for the Mailbox.", "the user credentials were incorrect.",
			"basic authentication is disabled.", "user is locked by your organization's security defaults policy.",
		} {
			clinic := clinicOf(t, "smtp.office365.com")
			clinic.On(smtptest.AUTH, smtptest.Reply(535, "5.7.139 Authentication unsuccessful, "+reason))
			clinic.request.Language = lang
			seen[step(t, clinic.Examine(t.Context(), clinic.request), smtp.StepLogin).Hints[0]] = true
		}
		if len(seen) != 4 {
			t.Errorf("%s: %d hints for 4 reasons", lang, len(seen))
		}
	}
}
