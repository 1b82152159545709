package failure

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// passedOn is the row of what another server said to the account's own about one
// recipient, where no other row fits; no match leads to it.
const passedOn = 120

// beyondRemote are the categories that the word of another server cannot bring about:
// what it says of accounts, logins and limits is not about ours.
func beyondRemote(category string, class Class) bool {
	switch class {
	case Config, Throttle, Uncertain:
		return true
	}
	switch category {
	case "auth_failed", "auth_required", "auth_disabled", "app_password_required", "account_verification",
		"oauth_expired", "oauth_interaction", "oauth_consent", "oauth_client", "oauth_temporary", "config_invalid",
		"sender_mailbox_full", "account_blocked", "mailbox_not_found", "relay_denied",
		"rate_limited", "quota_exceeded", "too_many_recipients", "unknown":
		return true
	}
	return false
}

// quotation has the ways in which a mail server says that what follows is not its own
// word: "host mx.example.net[192.0.2.9] said: 421", "SMTP error from remote mail server
// after RCPT TO", "delivery temporarily suspended: connect to", "while talking to",
// "Remote Server returned", "in reply to end of DATA command", "smtp; 550".
const quotation = `\b(said|says|replied|responded|answered|returned|reported)\b ?:` +
	`|\b(host|server|mx|mta|exchanger|gateway|hop) [^ ]{1,255} ?(\[[0-9a-f.:]{1,45}\]|\([0-9a-f.:]{1,45}\)|\b(said|says|replied|responded|answered)\b)` +
	`|\b(remote|recipient|recipient's|destination|receiving|foreign|target|downstream|next[- ]hop) (mail |smtp |e-?mail )?(server|host|mta|mx|exchanger|gateway|system|side)s?\b` +
	`|delivery temporarily suspended|\b(unverified|undeliverable) address\b|\bcall-?(out|ahead|forward)\b|recipient verif|\bwhile talking to\b` +
	`|\bin (reply|response) to\b|\bresponse (from|was|of)\b|\bconnect(ing|ion)? (to|with) [^ ]{1,255}\[|\bconversation with\b|diagnostic-code|\bsmtp; ?[245]\d\d\b` +
	`|\bled=|<<< |>>> |gegenstelle|empfängers?(mail)?server|(server|host) des empfängers|hat geantwortet|antwortete`

// quotes reports whether the text repeats what another server has said: that one is
// the recipient's, who may write there what he likes.
func (t *ruleTable) quotes(text *text) bool { return t.quotation.in(text) || nestsReply(text.s) }

// nestsReply finds a reply inside the text: `: 421 4.7.0`, `"550 no"`, `(550-5.7.1`,
// `: 4.7.0 later`.
func nestsReply(s string) bool {
	for i := range len(s) {
		quoted := strings.IndexByte("\"'", s[i]) >= 0
		if s[i] >= 0x80 { // « „ “ ‘
			r, _ := utf8.DecodeRuneInString(s[i:])
			quoted = strings.ContainsRune("«„“‘", r)
		}
		if !quoted && strings.IndexByte(":>(<[#", s[i]) < 0 {
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		rest := strings.TrimPrefix(s[i+size:], " ")
		code := startsWithCode(rest)
		if quoted && code {
			return true
		}
		if code {
			rest = rest[4:]
		}
		if e, n := parseCode(rest); n > 0 && e.subject <= 7 && e.class != 2 && n < len(rest) && rest[n] != '.' && !isDigit(rest[n]) &&
			(s[i] != '#' || rest[n] != ')') { // "(#5.7.1)" is how qmail writes its own
			return true
		}
	}
	return false
}

// startsWithCode reports whether a text begins like a reply: "550 " or "550-".
func startsWithCode(s string) bool {
	return len(s) > 3 && strings.IndexByte("245", s[0]) >= 0 && isDigit(s[1]) && isDigit(s[2]) && (s[3] == ' ' || s[3] == '-')
}

// afterRecipient reports whether a reply at this stage may hold another server's
// word: a recipient was named before, and some servers ask his own before they answer.
func afterRecipient(s Stage) bool { return s == StageRcpt || s == StageData || s == StageDot }

// blamesOthers reports whether the failure, taken at its word, has consequences
// beyond the recipient it was said of.
func (f *Failure) blamesOthers() bool {
	return f.Class == Config || f.Class == Throttle || f.Category == "too_many_recipients" ||
		slices.Contains([]Scope{ScopeAccount, ScopeServer}, f.Scope())
}

// Hearsay reports whether the failure blames the account or its server, but may be no more than
// what a recipient's server has said and the account's own repeats as if it were its
// word. Nothing said before the first recipient is hearsay, nor what the services of
// rules.yaml say, nor Graph or Gmail: they take a mail before they ask any other
// server about it.
func (f *Failure) Hearsay() bool {
	return afterRecipient(f.Stage) && !f.stores && (f.Scope() == ScopeAccount || f.Scope() == ScopeServer)
}

// stores reports whether the host is one of a known provider.
func (t *ruleTable) stores(host string) bool {
	return host != "" && slices.ContainsFunc(t.hosts, func(re *regexp.Regexp) bool { return re.MatchString(host) })
}
