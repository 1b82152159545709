package failure

import (
	"regexp"
	"slices"
)

// passedOn is the row of what another server said to the account's own about one
// recipient; no match leads to it.
const passedOn = 120

// Ways in which a mail server says that what follows is not its own word. They are
// asked of the lower-case text with its lines joined.
var (
	// "host mx.example.net[192.0.2.9] said: 421", "SMTP error from remote mail server
	// after RCPT TO", "delivery temporarily suspended: connect to", "while talking to",
	// "Remote Server returned", "in reply to end of DATA command", "smtp; 550"
	quotePattern = regexp.MustCompile(`\b(said|says|replied|responded|answered|returned|reported)\b ?:` +
		`|\b(host|server|mx|mta|exchanger|gateway|hop) [^ ]+ ?(\[[0-9a-f.:]+\]|\([0-9a-f.:]+\)|\b(said|says|replied|responded|answered)\b)` +
		`|\b(remote|recipient|recipient's|destination|receiving|foreign|target|downstream|next[- ]hop) (mail |smtp |e-?mail )?(server|host|mta|mx|exchanger|gateway|system|side)s?\b` +
		`|delivery temporarily suspended|\b(unverified|undeliverable) address\b|\bcall-?(out|ahead|forward)\b|recipient verif|\bwhile talking to\b` +
		`|\bin (reply|response) to\b|\bresponse (from|was|of)\b|\bconnect(ing|ion)? (to|with) [^ ]+\[|\bconversation with\b|diagnostic-code|\bsmtp; ?[245]\d\d\b` +
		`|\bled=|<<< |>>> |gegenstelle|empfängers?(mail)?server|(server|host) des empfängers|hat geantwortet|antwortete`)
	// A reply inside the text: `: 421 4.7.0`, `"550 no"`, `(550-5.7.1`, `: 4.7.0 later`.
	nestedReplyPattern = regexp.MustCompile(`["'«„“‘] ?[245]\d\d[ -]|[:>(<\[#] ?([245]\d\d[ -])?[245]\.[0-7]\.\d{1,3}[^.\d]`)
)

// quotes reports whether the text repeats what another server has said: that one is
// the recipient's, who may write there what he likes.
func (q *query) quotes() bool {
	return quotePattern.MatchString(q.text) || nestedReplyPattern.MatchString(q.text)
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

// recipientsOwn is the match of what a recipient's server has said.
func (t *ruleTable) recipientsOwn(q *query) *match {
	m := &match{rule: t.rules[passedOn]}
	if q.code/100 == 5 {
		m.class = Permanent
	}
	return m
}

// Hearsay reports whether the failure blames the account, but may be no more than
// what a recipient's server has said and the account's own repeats as if it were its
// word. Nothing said before the first recipient is hearsay, nor what the services of
// rules.yaml say, nor Graph or Gmail: they take a mail before they ask any other
// server about it.
func (f *Failure) Hearsay() bool {
	return afterRecipient(f.Stage) && !f.stores && f.Scope() == ScopeAccount
}

// stores reports whether the host is one of a known provider.
func (t *ruleTable) stores(host string) bool {
	return host != "" && slices.ContainsFunc(t.hosts, func(re *regexp.Regexp) bool { return re.MatchString(host) })
}
