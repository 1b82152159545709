package failure

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed rules.yaml
var rulesYAML []byte

// The table is loaded at first use. A test loads it too, so that a broken one
// never leaves the house.
var table = sync.OnceValue(func() *ruleTable {
	t, err := load(rulesYAML)
	if err != nil {
		panic(err)
	}
	return t
})

// fallback is the rule for what no other rule knows.
const fallback = 81

// postponed is the row of a refusal by its code alone whose text asks for another try;
// no match leads to it.
const postponed = 132

// centralSender is the row of Failure.OfCentralSender; no reply leads to it.
const centralSender = 110

// ruleTable is the loaded rules.yaml.
type ruleTable struct {
	rules  map[int]*rule
	hosts  []*regexp.Regexp    // of known providers
	steps  [stepCount][]*match // in the order of the file
	scopes []compiledScope     // the first that fits
	person []compiledWhere     // any that fits

	scanner   scanner
	words     wordList
	quotation *pattern
	pauses    pauses
	instead   map[string]pair // of what stands in braces in a hint, by moment
}

// A rule is one row: what a failure is called, who acts, and the hints.
type rule struct {
	Number   int           `yaml:"rule"`
	Category string        `yaml:"category"`
	Class    Class         `yaml:"class"`
	Wait     time.Duration `yaml:"wait"`     // pause when the server names none
	AtLeast  time.Duration `yaml:"at_least"` // never less
	Operator bool          `yaml:"operator"` // nobody else can mend it
	EN       string        `yaml:"en"`
	DE       string        `yaml:"de"`
	Match    []matchRow    `yaml:"match"`
}

// matchRow is a match as the file has it.
type matchRow struct {
	Error    kind          `yaml:"error"`
	Detail   string        `yaml:"detail"`
	API      []string      `yaml:"api"`
	Provider string        `yaml:"provider"`
	Text     string        `yaml:"text"`
	Words    []string      `yaml:"words"`
	Not      []string      `yaml:"not"`
	When     []fact        `yaml:"when"`
	Unless   []fact        `yaml:"unless"`
	Enhanced []string      `yaml:"enhanced"`
	Codes    []string      `yaml:"codes"`
	Stages   []Stage       `yaml:"stages"`
	Category string        `yaml:"category"` // instead of the rule's
	Class    Class         `yaml:"class"`    // instead of the rule's
	Wait     time.Duration `yaml:"wait"`     // instead of the rule's
}

type providerRow struct {
	Host string `yaml:"host"`
	Text string `yaml:"text"`
}

// load reads a table strictly: what it does not know is an error.
func load(b []byte) (*ruleTable, error) {
	var file struct {
		Instead   map[string]pair        `yaml:"instead"`
		Groups    map[string][]string    `yaml:"groups"`
		Providers map[string]providerRow `yaml:"providers"`
		Rules     []*rule                `yaml:"rules"`
		Scopes    []scopeRow             `yaml:"scopes"`
		Person    []where                `yaml:"needs_person"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	t := &ruleTable{rules: make(map[int]*rule, len(file.Rules)), instead: file.Instead}
	errs := []error{t.words.learn(&t.scanner, file.Groups), t.compileOwn()}
	providers := make(map[string]*provider, len(file.Providers))
	for name, row := range file.Providers {
		host, err1 := regexp.Compile(row.Host)
		text, err2 := t.scanner.pattern(row.Text)
		if err := errors.Join(err1, err2); err != nil {
			errs = append(errs, fmt.Errorf("provider %s: %w", name, err))
			continue
		}
		providers[name] = &provider{host: host, text: text}
		t.hosts = append(t.hosts, host)
	}
	for _, r := range file.Rules {
		if err := t.add(r, providers); err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", r.Number, err))
		}
	}
	if t.rules[fallback] == nil {
		errs = append(errs, fmt.Errorf("rule %d, the last resort, is missing", fallback))
	}
	errs = append(errs, t.judge(file.Scopes, file.Person))
	t.scanner.build()
	return t, errors.Join(errs...)
}

// compileOwn compiles the patterns that are in no file.
func (t *ruleTable) compileOwn() error {
	var errs []error
	for expression, at := range map[string]**pattern{
		quotation: &t.quotation, spanPattern: &t.pauses.span, clockPattern: &t.pauses.clock, timePattern: &t.pauses.time,
	} {
		var err error
		if *at, err = t.scanner.pattern(expression); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", expression, err))
		}
	}
	return errors.Join(errs...)
}

func (t *ruleTable) add(r *rule, providers map[string]*provider) error {
	if r.Number < 1 || t.rules[r.Number] != nil {
		return errors.New("number missing or used twice")
	}
	t.rules[r.Number] = r
	var errs []error
	if !slices.Contains(Categories(), r.Category) {
		errs = append(errs, fmt.Errorf("unknown category %q", r.Category))
	}
	if !slices.Contains(classes(), r.Class) {
		errs = append(errs, fmt.Errorf("unknown class %q", r.Class))
	}
	if r.EN == "" || r.DE == "" {
		errs = append(errs, errors.New("a hint is missing"))
	}
	if r.Wait < 0 || r.AtLeast < 0 || max(r.Wait, r.AtLeast) > maxRetryAfter {
		errs = append(errs, errors.New("wait and at_least must be within 0 and 24h"))
	}
	if unasked := []int{fallback, centralSender, passedOn, postponed}; len(r.Match) == 0 && !slices.Contains(unasked, r.Number) {
		errs = append(errs, errors.New("no match: the rule can never apply"))
	}
	for i := range r.Match {
		m, err := t.compile(r, &r.Match[i], providers)
		if err != nil {
			errs = append(errs, fmt.Errorf("match %d: %w", i+1, err))
			continue
		}
		t.steps[m.step] = append(t.steps[m.step], m)
	}
	return errors.Join(errs...)
}

func classes() []Class {
	return []Class{Transient, Permanent, Throttle, Config, Uncertain, Expired}
}

func stages() []Stage {
	return []Stage{
		StageWorker, StageToken, StageConnect, StageTLS, StageBanner, StageEHLO, StageSTARTTLS,
		StageAuth, StageMail, StageRcpt, StageData, StageDot, StageRemote, StageAPI,
	}
}

// Categories are all names that a Failure can have, for metric labels and filters.
func Categories() []string {
	return []string{
		"dns_failure", "host_unreachable", "connection_refused", "timeout", "connection_lost", "delivery_uncertain",
		"tls_failure", "certificate_invalid",
		"auth_failed", "auth_required", "auth_disabled", "app_password_required", "account_verification",
		"oauth_expired", "oauth_interaction", "oauth_consent", "oauth_client", "oauth_temporary", "config_invalid",
		"sender_rejected", "sender_auth", "sender_mailbox_full", "account_blocked", "mailbox_not_found", "relay_denied",
		"rate_limited", "quota_exceeded", "too_many_recipients",
		"recipient_unknown", "recipient_invalid", "recipient_domain", "recipient_disabled", "recipient_policy",
		"mailbox_full", "greylisted", "address_needs_utf8",
		"message_too_large", "content_rejected", "message_malformed",
		"reputation_blocked", "temporary_server", "protocol_error", "expired", "unknown",
	}
}
