package failure

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// quotations are ways in which real servers pass on what a recipient's server said.
func quotations() []string {
	return []string{
		"4.1.1 <x@y.example>: Recipient address rejected: unverified address: host mx.y.example[192.0.2.9] said: %d %s",
		"host mx.y.example[192.0.2.9] said: %d %s (in reply to RCPT TO command)",
		"host mx.y.example [2001:db8::1] refused to talk to me: %d %s",
		"SMTP error from remote mail server after RCPT TO:<x@y.example>: %d %s",
		"Remote server returned '%d %s'",
		"delivery temporarily suspended: connect to mx.y.example[192.0.2.9]:25: %d %s",
		"Deferred: %d %s while talking to mx.y.example",
		"Response from mx.y.example: %d %s",
		"mx.y.example answered: %d %s",
		`The destination server said "%d %s"`,
		"The server mx.y.example said %d %s",
		"Callout verification: %d %s",
		"Recipient rejected (%d 4.7.0 %s)",
		"lost: <<< %d %s",
		"Der Server des Empfängers meldet: %d %s",
		"connection to the next hop host failed|%d %s",
	}
}

// accusations are words that would close or park the account they come from.
func accusations() []string {
	return []string{
		"too many connections; try again in 9999 hours", "rate limit exceeded, slow down", "Daily user sending limit exceeded",
		"Mail send limit exceeded.", "message count quota exceeded", "bad outbound sender", "Relay access denied", "Authentication required",
		"mailbox logon failure", "too many recipients", "throttled", "5.7.705 tenant has exceeded threshold", "5.7.57 Client not authenticated",
	}
}

// TestPassedOn: what a recipient's server says is about that recipient, however much
// it looks like trouble of the account.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	for stage, codes := range map[Stage][]int{StageRcpt: {450, 550}, StageData: {421}, StageDot: {554}} {
		for _, code := range codes {
			for _, quotation := range quotations() {
				for _, accusation := range accusations() {
					c := reply(stage, code, fmt.Sprintf(quotation, code, accusation))
					f := Classify(c)
					if f.Scope() != ScopeMail || f.NeedsPerson() || f.Hearsay() || f.Class != Transient && f.Class != Permanent || f.Category == "too_many_recipients" {
						t.Errorf("%s %d %q: %s, scope %s, rule %d", stage, code, c.Reply.Lines, f.Class, f.Scope(), f.Rule)
					}
					if f.RetryAfter > maxNamed {
						t.Errorf("%q: put off for %v", c.Reply.Lines, f.RetryAfter)
					}
					if (f.Class == Permanent) != (code/100 == 5) {
						t.Errorf("%d %q is %s", code, c.Reply.Lines, f.Class)
					}
				}
			}
		}
	}
}

// TestOwnWord: the account's own server speaks of itself before it knows a recipient.
func TestOwnWord(t *testing.T) {
	t.Parallel()
	const text = "host mx.y.example[192.0.2.9] said: 421 too many connections; try again in 9999 hours"
	for _, stage := range []Stage{StageBanner, StageEHLO, StageAuth, StageMail} {
		f := Classify(reply(stage, 421, text))
		if s := f.Scope(); s != ScopeAccount && s != ScopeServer || f.Hearsay() {
			t.Errorf("%s: %s, hearsay %v", stage, s, f.Hearsay())
		}
		if f.RetryAfter > 15*time.Minute {
			t.Errorf("%s: %v for everybody", stage, f.RetryAfter)
		}
	}
}

// TestHearsay: said without quotation marks it may be either's word.
func TestHearsay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"450 4.7.1 Error: too many connections from 192.0.2.7":         true,
		"450 Mail send limit exceeded.":                                true,
		"550 5.4.5 Daily user sending limit exceeded":                  true,
		"450 4.7.0 rate limit: 500 messages per day (500 per mailbox)": true,
		"550 5.1.8 Access denied, bad outbound sender":                 true,
		"554 5.7.1 <x@y.example>: Relay access denied":                 true,
		"550 5.7.705 tenant has exceeded threshold":                    true,
		"550 5.1.1 no such user":                                       false,
		"450 4.2.0 Greylisted":                                         false,
	} {
		var code int
		_, _ = fmt.Sscan(text, &code)
		_, text, _ := strings.Cut(text, " ")
		for _, stage := range []Stage{StageRcpt, StageData, StageDot} {
			if f := Classify(reply(stage, code, text)); f.Hearsay() != want || f.Rule == passedOn {
				t.Errorf("%s %d %s: hearsay %v, rule %d", stage, code, text, f.Hearsay(), f.Rule)
			}
		}
	}
	for _, c := range []Cause{api(StageAPI, 429, "", ""), reply(StageMail, 450, "rate limit"), reply(StageAuth, 535, "no"), api(StageToken, 429, "", "")} {
		if f := Classify(c); f.Hearsay() {
			t.Errorf("%v comes from nobody but the account's server", f)
		}
	}
}
