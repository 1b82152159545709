package failure

import (
	"cmp"
	"errors"
	"net/textproto"
	"strings"
	"time"
)

// Pauses. A text may come from anybody's server; a header comes from the account's.
const (
	maxRetryAfter = 24 * time.Hour   // in a header, or of a rule
	maxNamed      = 4 * time.Hour    // in a text, for the mail it was said of
	maxNamedAll   = 15 * time.Minute // in a text, for every mail of an account or server
)

// A query is a cause made ready for the questions of the table.
type query struct {
	stage    Stage
	kind     kind // "": there is a reply
	code     int
	enhanced enhancedCode
	api      string // lower case
	text     *text
	host     string // lower case
	session  *Session
}

// Classify reads a cause and says what it means, who acts and when to try
// again. It is nil only for a cause with neither error nor reply. The reply
// goes before the error; an error that is a *textproto.Error is a reply.
func Classify(c Cause) *Failure {
	if c.Reply.Code == 0 && c.Err == nil {
		return nil
	}
	if e, ok := errors.AsType[*textproto.Error](c.Err); ok && c.Reply.Code == 0 {
		c.Reply = Reply{Code: e.Code, Lines: strings.Split(e.Msg, "\n")}
	}
	t := table()
	q := t.ask(&c)
	f := judge(&c, q, t.find(q))
	if afterRecipient(c.Stage) && f.blamesOthers() && t.quotes(q.text) {
		q.stage = StageRemote
		return judge(&c, q, t.find(q))
	}
	return f
}

// judge is what a match makes of a cause.
func judge(c *Cause, q *query, m *match) *Failure {
	f := &Failure{
		Stage:      q.stage,
		Class:      cmp.Or(m.class, m.rule.Class),
		Category:   cmp.Or(m.category, m.rule.Category),
		Rule:       m.rule.Number,
		Code:       c.Reply.Code,
		Enhanced:   q.enhanced.String(),
		Diagnostic: diagnostic(c),
		cause:      c.Err,
		stores:     afterRecipient(q.stage) && table().stores(q.host),
	}
	f.Class = sane(f.Class, q)
	if f.Class == Transient || f.Class == Throttle || f.Class == Uncertain {
		wait := cmp.Or(max(0, c.RetryAfter), f.bound(named(c, q)), m.wait, m.rule.Wait)
		f.RetryAfter = min(max(wait, m.rule.AtLeast), maxRetryAfter)
	}
	return f
}

// bound is the pause that a text names, within what such a text may demand.
func (f *Failure) bound(d time.Duration) time.Duration {
	if s := f.Scope(); (s == ScopeAccount || s == ScopeServer) && !f.Hearsay() {
		return min(d, maxNamedAll)
	}
	return min(d, maxNamed)
}

func (t *ruleTable) ask(c *Cause) *query {
	q := &query{
		stage:   c.Stage,
		code:    c.Reply.Code,
		api:     strings.ToLower(c.APICode),
		host:    strings.ToLower(c.Host),
		session: &c.Session,
	}
	if q.code == 0 {
		q.kind = kindOf(c.Err, c.Stage)
		q.text = t.read(normalize([]string{c.Err.Error()}))
		return q
	}
	if c.Stage == StageDot && q.code < 400 {
		q.kind = kindUnanswered // a broken conversation: nobody knows
	}
	if q.smtp() {
		q.enhanced = findEnhanced(c.Reply.Lines, q.code)
	}
	q.text = t.read(normalize(c.Reply.Lines))
	return q
}

func (q *query) smtp() bool { return q.stage != StageToken && q.stage != StageAPI }

// find is the first match of the table, or the last resort.
func (t *ruleTable) find(q *query) *match {
	for s := range t.steps {
		for _, m := range t.steps[s] {
			if m.fits(q) {
				return t.orLater(m, q)
			}
		}
	}
	last := &match{rule: t.rules[fallback]}
	if q.stage == StageRemote {
		last.rule = cmp.Or(t.rules[passedOn], last.rule)
	}
	if q.smtp() && q.code/100 == 5 {
		last.class = Permanent // RFC 5321 §4.2.1: the first digit decides
	}
	return t.orLater(last, q)
}

// orLater is the match, or that of a refusal which is not for good: nothing but its code,
// or what it says of the content, speaks for that, and the text asks for another try.
func (t *ruleTable) orLater(m *match, q *query) *match {
	later, known := t.words.groups["later"]
	if !known || t.rules[postponed] == nil || q.code/100 != 5 || q.kind != "" || !q.text.any([]int{later}) {
		return m
	}
	class, category := cmp.Or(m.class, m.rule.Class), cmp.Or(m.category, m.rule.Category)
	byCode := m.step == stepCode || m.rule.Number == fallback || m.rule.Number == passedOn
	switch {
	case !afterRecipient(q.stage) && q.stage != StageMail && q.stage != StageRemote:
	case byCode && (q.stage == StageRemote || afterRecipient(q.stage) && t.quotes(q.text)):
		// What a recipient's server has refused, ours has given up.
	case category == "content_rejected" && class == Permanent, byCode && class == Permanent, byCode && q.stage == StageMail && class == Config:
		return &match{rule: t.rules[postponed]}
	}
	return m
}

// sane keeps what no rule may change: 4yz is never permanent, no mail fails
// for good without a reply 5yz or a refusal of our own, and before MAIL it is
// the account's trouble, never the mail's.
func sane(class Class, q *query) Class {
	if class != Permanent || !q.smtp() || q.kind != "" && q.kind != kindOther {
		return class
	}
	switch {
	case q.code/100 != 5:
		return Transient
	case q.stage != StageMail && !afterRecipient(q.stage) && q.stage != StageRemote:
		return Config
	}
	return class
}
