package failure

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A step is one of the questions asked of a cause, in this order; the first
// match ends the asking.
type step int

const (
	stepError step = iota
	stepDetail
	stepAPI
	stepProvider
	stepText
	stepEnhanced
	stepCode
	stepCount
)

// A match is one compiled condition of a rule. Every field that is set must fit.
type match struct {
	rule     *rule
	step     step
	kind     kind
	detail   *pattern
	api      []string // lower case
	provider *provider
	text     *pattern
	words    []int // groups, together in a sentence
	not      []int // groups, nowhere in the text
	when     []fact
	unless   []fact
	enhanced []enhancedRange
	codes    []codeRange
	stages   []Stage
	category string
	class    Class
	wait     time.Duration
}

// A provider is known by the account's server or by a mark in its replies.
type provider struct {
	host *regexp.Regexp
	text *pattern
}

func (p *provider) fits(q *query) bool {
	return q.host != "" && p.host.MatchString(q.host) || p.text.in(q.text)
}

func (m *match) fits(q *query) bool {
	return slices.Contains(m.stages, q.stage) &&
		(m.kind == "" || m.kind == q.kind) &&
		(m.api == nil || slices.Contains(m.api, q.api)) &&
		(m.codes == nil || slices.ContainsFunc(m.codes, func(r codeRange) bool { return r.has(q.code) })) &&
		(m.enhanced == nil || slices.ContainsFunc(m.enhanced, func(r enhancedRange) bool { return r.has(q.enhanced) })) &&
		(m.words == nil || q.text.together(m.words)) &&
		!q.text.any(m.not) &&
		(m.detail == nil || m.detail.in(q.text)) &&
		(m.provider == nil || m.provider.fits(q)) &&
		(m.text == nil || m.text.in(q.text)) &&
		!slices.ContainsFunc(m.when, func(f fact) bool { return !f.holds(q) }) &&
		!slices.ContainsFunc(m.unless, func(f fact) bool { return f.holds(q) })
}

func (t *ruleTable) compile(r *rule, row *matchRow, providers map[string]*provider) (*match, error) {
	m := &match{
		rule: r, kind: row.Error, stages: row.Stages, when: row.When, unless: row.Unless,
		category: row.Category, class: row.Class, wait: row.Wait,
	}
	errs := []error{known("fact", slices.Concat(row.When, row.Unless), facts())}
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.kind != "" && !slices.Contains(kinds(), m.kind) {
		fail("unknown error kind %q", m.kind)
	}
	for _, s := range m.stages {
		if !slices.Contains(stages(), s) {
			fail("unknown stage %q", s)
		}
	}
	if m.category != "" && !slices.Contains(Categories(), m.category) {
		fail("unknown category %q", m.category)
	}
	if m.class != "" && !slices.Contains(classes(), m.class) {
		fail("unknown class %q", m.class)
	}
	if row.Provider != "" {
		if m.provider = providers[row.Provider]; m.provider == nil {
			fail("unknown provider %q", row.Provider)
		}
	}
	var err error
	if m.words, err = t.words.find(row.Words); err != nil {
		errs = append(errs, err)
	}
	if m.not, err = t.words.find(row.Not); err != nil {
		errs = append(errs, err)
	}
	m.detail, errs = t.optional(row.Detail, errs)
	m.text, errs = t.optional(row.Text, errs)
	for _, s := range row.API {
		m.api = append(m.api, strings.ToLower(s))
	}
	for _, s := range row.Codes {
		c, err := parseCodes(s)
		m.codes, errs = append(m.codes, c), append(errs, err)
	}
	for _, s := range row.Enhanced {
		e, err := parseEnhanced(s)
		m.enhanced, errs = append(m.enhanced, e), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return m, m.place()
}

func (t *ruleTable) optional(expression string, errs []error) (*pattern, []error) {
	if expression == "" {
		return nil, errs
	}
	p, err := t.scanner.pattern(expression)
	if err != nil {
		err = fmt.Errorf("%q: %w", expression, err)
	}
	return p, append(errs, err)
}

// place derives the step from the fields, and the stages if none are named.
func (m *match) place() error {
	smtp := stages()[slices.Index(stages(), StageConnect):slices.Index(stages(), StageAPI)]
	usual := smtp
	switch {
	case m.kind != "":
		m.step, usual = stepError, stages()
	case m.detail != nil:
		m.step, usual = stepDetail, []Stage{StageToken, StageAPI}
	case m.api != nil:
		m.step, usual = stepAPI, []Stage{StageToken, StageAPI}
	case m.provider != nil:
		m.step = stepProvider
	case m.text != nil, m.words != nil:
		m.step = stepText
	case slices.ContainsFunc(m.enhanced, enhancedRange.specific):
		m.step = stepEnhanced
	case m.codes != nil:
		m.step = stepCode
	default:
		return errors.New("it asks nothing")
	}
	if len(m.stages) == 0 {
		m.stages = usual
	}
	m.placeRemote()
	return nil
}

// placeRemote lets another server say what the account's own may say once a recipient
// is named, but for what that would be about the account.
func (m *match) placeRemote() {
	m.stages = slices.DeleteFunc(slices.Clone(m.stages), func(s Stage) bool { return s == StageRemote })
	if slices.ContainsFunc(m.stages, afterRecipient) && !beyondRemote(cmp.Or(m.category, m.rule.Category), cmp.Or(m.class, m.rule.Class)) {
		m.stages = append(m.stages, StageRemote)
	}
}

// A codeRange is "421", "500-504" or "5yz".
type codeRange struct{ from, to int }

func (r codeRange) has(code int) bool { return r.from <= code && code <= r.to }

func parseCodes(s string) (codeRange, error) {
	if digit, ok := strings.CutSuffix(s, "yz"); ok {
		s = digit + "00-" + digit + "99"
	}
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	a, err1 := strconv.Atoi(from)
	b, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || a < 200 || b > 599 || a > b {
		return codeRange{}, fmt.Errorf("code %q is not like 421, 500-504 or 5yz", s)
	}
	return codeRange{a, b}, nil
}
