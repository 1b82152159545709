package failure

import (
	_ "embed"
	"fmt"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/servers.tsv
var serversTSV string

// said is the cause of a reply in a session that is as usual: to a mail from
// info@x.example to kunde@example.org, with a server that offers AUTH.
func said(stage Stage, login, reply string) Cause {
	lines := strings.Split(reply, `\n`)
	c := Cause{Stage: stage, Session: Session{AuthOffered: true, HELO: "styx", Login: LoginPassword}}
	for i, line := range lines {
		_, _ = fmt.Sscan(line, &c.Reply.Code)
		lines[i] = line[min(4, len(line)):]
	}
	c.Reply.Lines = lines
	if login == "no" {
		c.Session.Login = LoginNone
	}
	if stage != StageAuth && stage != StageBanner {
		c.Session.Sender = "info@x.example"
	}
	if stage == StageRcpt {
		c.Session.Recipient = "kunde@example.org"
	}
	return c
}

// TestServers has what real servers say.
func TestServers(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(serversTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		stage, login, text, class, category, scope, hint := Stage(f[0]), f[1], f[2], Class(f[3]), f[4], Scope(f[5]), f[6]
		t.Run(fmt.Sprintf("%s %.60s", stage, text), func(t *testing.T) {
			t.Parallel()
			c := said(stage, login, text)
			got := Classify(c)
			if got.Class != class || got.Category != category || got.Scope() != scope {
				t.Errorf("%s %s, scope %s, want %s %s, scope %s: rule %d, %v", got.Class, got.Category, got.Scope(), class, category, scope, got.Rule, got)
			}
			if !hasOne(got.Hint("en"), hint) {
				t.Errorf("the hint does not say %q: %s", hint, got.Hint("en"))
			}
			if s := got.Scope(); (s == ScopeAccount || s == ScopeServer) && got.RetryAfter > time.Hour {
				t.Errorf("everybody waits for %v", got.RetryAfter)
			}
			checkSane(t, c)
		})
	}
}

func hasOne(text, words string) bool {
	for word := range strings.SplitSeq(words, "|") {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// TestOfTheMoment: what a hint says of further tries is true when it is read.
func TestOfTheMoment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule int
		m    Moment
		lang string
		has  string
		not  string
	}{
		{16, Moment{}, "en", "it is tried again", "{"},
		{16, Moment{}, "de", "es wird erneut versucht", "{"},
		{16, Moment{Final: true, Tried: 24 * time.Hour}, "en", "was tried for 24 hours", "it is tried again"},
		{16, Moment{Final: true, Tried: 24 * time.Hour}, "de", "wurde 24 Stunden lang versucht", "wird erneut versucht"},
		{16, Moment{Final: true, Tried: time.Second}, "en", "rohrpost retry", "was tried for"},
		{16, Test(), "en", "There is nothing to try again", "it is tried again"},
		{16, Test(), "de", "nichts erneut zu versuchen", "wird erneut versucht"},
		{56, Moment{Final: true, Tried: 3 * 24 * time.Hour}, "en", "was tried for 3 days", "goes on"},
		{19, Moment{Final: true, Tried: 90 * time.Minute}, "en", "was tried for 90 minutes", "TIME"},
		{19, Moment{Final: true, Tried: time.Hour}, "de", "60 Minuten lang", "TIME"},
		{60, Moment{Final: true, Tried: 24 * time.Hour}, "en", "Check the address", "was tried"},
		{19, Test(), "en", "Enter both again", "nothing to try"},
	} {
		if got := tt.m.Hint(tt.rule, tt.lang); !strings.Contains(got, tt.has) || strings.Contains(got, tt.not) {
			t.Errorf("rule %d, %+v: %s", tt.rule, tt.m, got)
		}
	}
}

// TestOtherCharset: a reply that is not UTF-8 is Windows-1252.
func TestOtherCharset(t *testing.T) {
	t.Parallel()
	c := reply(StageDot, 550, "Versandlimit f\xfcr heute \x84\xfcberschritten\x93|Gr\xfc\xdfe")
	f := Classify(c)
	if f.Category != "quota_exceeded" || f.Diagnostic != "Versandlimit für heute „überschritten“ / Grüße" {
		t.Errorf("%s: %q", f.Category, f.Diagnostic)
	}
	for in, want := range map[string]string{
		"Empf\xc3\xa4nger": "Empfänger", "caf\xe9": "café", "f\xc3\xbcr \xc3": "für ", "": "", "\x81\xe4": "\uFFFDä", "a\nb \xe4": "a\nb ä",
	} {
		if got := Legible(in); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
	// A secret that comes back in another charset is still one.
	c.Reply.Lines = []string{"wrong: gehe\xefm"}
	c.Conceal = func(s string) string { return strings.ReplaceAll(s, "geheïm", "***") }
	if f := Classify(c); strings.Contains(f.Diagnostic, "gehe") {
		t.Errorf("%q", f.Diagnostic)
	}
}

// TestRemote: another server's word, in a bounce, is about the recipient.
func TestRemote(t *testing.T) {
	t.Parallel()
	for text, category := range map[string]string{
		"5.1.1 user unknown":                                                   "recipient_unknown",
		"5.2.2 mailbox full":                                                   "mailbox_full",
		"5.7.1 blocked using zen.spamhaus.org":                                 "reputation_blocked",
		"5.7.26 not authenticated":                                             "sender_auth",
		"message count quota exceeded":                                         "recipient_policy",
		"5.7.57 Client not authenticated":                                      "recipient_policy",
		"Sender address rejected: not owned by user x":                         "recipient_policy",
		"5.7.1 Relay access denied":                                            "recipient_policy",
		"Helo command rejected: need fully-qualified hostname":                 "recipient_policy",
		"The limit on the number of allowed outgoing messages was exceeded":    "recipient_policy",
		"too many recipients":                                                  "recipient_policy",
		"Your SMTP account is not yet activated":                               "recipient_policy",
		"5.1.8 bad outbound sender":                                            "recipient_policy",
		"5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException": "recipient_policy",
	} {
		f := Classify(reply(StageRemote, 550, text))
		if f.Category != category || f.Class != Permanent || f.Scope() != ScopeMail || f.NeedsPerson() || f.Hearsay() {
			t.Errorf("%q: %s %s, scope %s, rule %d", text, f.Class, f.Category, f.Scope(), f.Rule)
		}
		if f := Classify(reply(StageRemote, 451, text)); f.Class != Transient {
			t.Errorf("451 %q is %s", text, f.Class)
		}
	}
}

// TestFacts: the same words mean another thing in another session.
func TestFacts(t *testing.T) {
	t.Parallel()
	with := func(c Cause, s Session) Cause {
		c.Session = s
		return c
	}
	denied := reply(StageRcpt, 554, "5.7.1 <kunde@example.org>: Recipient address rejected: Access denied")
	names := reply(StageRcpt, 550, "5.1.1 <info@x.example> is unknown here")
	for _, tt := range []struct {
		name, category string
		cause          Cause
	}{
		{"no login", "relay_denied", with(denied, Session{Login: LoginNone, AuthOffered: true})},
		{"no login, and none offered", "recipient_unknown", with(denied, Session{Login: LoginNone})},
		{"logged in", "recipient_unknown", with(denied, Session{Login: LoginPassword, AuthOffered: true})},
		{"not known", "recipient_unknown", denied},
		{"Exchange's words", "recipient_unknown", with(reply(StageRcpt, 550, "5.4.1 Recipient address rejected: Access denied."), Session{Login: LoginNone, AuthOffered: true})},
		{"the sender is named", "sender_rejected", with(names, Session{Sender: "Info@X.example", Recipient: "kunde@example.org"})},
		{"another one", "recipient_unknown", with(names, Session{Sender: "nfo@x.example", Recipient: "kunde@example.org"})},
		{"both are the same", "recipient_unknown", with(names, Session{Sender: "info@x.example", Recipient: "info@x.example"})},
		{"a password", "auth_failed", with(reply(StageAuth, 535, "5.7.3 Authentication unsuccessful"), Session{Login: LoginPassword})},
		{"a token", "oauth_expired", with(reply(StageAuth, 535, "5.7.3 Authentication unsuccessful"), Session{Login: LoginToken})},
	} {
		if f := Classify(tt.cause); f.Category != tt.category {
			t.Errorf("%s: %s, rule %d", tt.name, f.Category, f.Rule)
		}
	}
	for login, again := range map[Login]bool{LoginToken: true, LoginApp: false} {
		for _, c := range []Cause{reply(StageAuth, 535, "5.7.3 no"), reply(StageAuth, 334, "e30="), api(StageToken, 400, "invalid_grant", "AADSTS70008")} {
			f := Classify(with(c, Session{Login: login}))
			if says := strings.Contains(strings.ReplaceAll(f.Hint("en"), "connects", "connect"), "onnect the account again"); says != again || f.Category != "oauth_expired" {
				t.Errorf("%s %s: %s: %s", login, c.Stage, f.Category, f.Hint("en"))
			}
		}
	}
}
