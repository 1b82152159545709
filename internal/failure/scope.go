package failure

import (
	"errors"
	"fmt"
	"slices"
)

// A Scope is whom a failure concerns beyond the mail at hand, and so who waits.
type Scope string

// The scopes, from the narrowest.
const (
	ScopeMail    Scope = "mail"    // this mail or recipient alone
	ScopeSender  Scope = "sender"  // every mail with this From
	ScopeAccount Scope = "account" // every mail of the account: login, quota, rate, block, mailbox
	ScopeServer  Scope = "server"  // every account of that server: name, TCP, TLS, greeting, EHLO, STARTTLS
)

func scopes() []Scope { return []Scope{ScopeMail, ScopeSender, ScopeAccount, ScopeServer} }

// Scope is whom the failure concerns. What has ended, or may have ended, for its
// mail concerns nobody else; a failure of class throttle or config concerns more
// than its mail (but for a recipient's own limit).
func (f *Failure) Scope() Scope {
	rows := table().scopes
	for i := range rows {
		if rows[i].fits(f) {
			return rows[i].Scope
		}
	}
	return ScopeMail // load does not let it come to this
}

// NeedsPerson reports whether no waiting mends it: the other side has refused the
// login, the permission or the account itself, and trying again with the same
// settings can do harm. Then the account is parked. Other failures of class config
// wait with an end: they mend themselves when a server is mended, a mailbox is
// emptied, or the settings are completed.
func (f *Failure) NeedsPerson() bool {
	return slices.ContainsFunc(table().person, func(w compiledWhere) bool { return w.fits(f) })
}

// A where picks failures. Every field that is set must fit.
type where struct {
	Stages     []Stage  `yaml:"stages"`
	Categories []string `yaml:"categories"`
	Classes    []Class  `yaml:"classes"`
	Rules      []int    `yaml:"rules"`
	Codes      []string `yaml:"codes"`
}

type compiledWhere struct {
	where
	codes []codeRange
}

func (w *compiledWhere) fits(f *Failure) bool {
	return (w.Stages == nil || slices.Contains(w.Stages, f.Stage)) &&
		(w.Categories == nil || slices.Contains(w.Categories, f.Category)) &&
		(w.Classes == nil || slices.Contains(w.Classes, f.Class)) &&
		(w.Rules == nil || slices.Contains(w.Rules, f.Rule)) &&
		(w.codes == nil || slices.ContainsFunc(w.codes, func(r codeRange) bool { return r.has(f.Code) }))
}

func (w *compiledWhere) asksNothing() bool {
	return w.Stages == nil && w.Categories == nil && w.Classes == nil && w.Rules == nil && w.codes == nil
}

// scopeRow is a row of the scopes as the file has it.
type scopeRow struct {
	Scope Scope `yaml:"scope"`
	where `yaml:",inline"`
}

type compiledScope struct {
	Scope Scope
	compiledWhere
}

// judge compiles the rows that are asked of a failure that has been classified.
func (t *ruleTable) judge(scopeRows []scopeRow, person []where) error {
	var errs []error
	for i, row := range scopeRows {
		w, err := t.compileWhere(row.where)
		if !slices.Contains(scopes(), row.Scope) {
			err = errors.Join(err, fmt.Errorf("unknown scope %q", row.Scope))
		}
		if last := i == len(scopeRows)-1; last != w.asksNothing() {
			err = errors.Join(err, errors.New("the last row, and no other, must fit everything"))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("scope %d: %w", i+1, err))
		}
		t.scopes = append(t.scopes, compiledScope{row.Scope, w})
	}
	if len(scopeRows) == 0 {
		errs = append(errs, errors.New("scopes are missing"))
	}
	for i, row := range person {
		w, err := t.compileWhere(row)
		if w.asksNothing() {
			err = errors.Join(err, errors.New("it asks nothing"))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("needs_person %d: %w", i+1, err))
		}
		t.person = append(t.person, w)
	}
	return errors.Join(errs...)
}

func (t *ruleTable) compileWhere(row where) (compiledWhere, error) {
	w := compiledWhere{where: row}
	errs := []error{
		known("stage", row.Stages, stages()),
		known("category", row.Categories, Categories()),
		known("class", row.Classes, classes()),
	}
	for _, n := range row.Rules {
		if t.rules[n] == nil {
			errs = append(errs, fmt.Errorf("unknown rule %d", n))
		}
	}
	for _, s := range row.Codes {
		c, err := parseCodes(s)
		w.codes, errs = append(w.codes, c), append(errs, err)
	}
	return w, errors.Join(errs...)
}

func known[T ~string](what string, values, all []T) error {
	for _, v := range values {
		if !slices.Contains(all, v) {
			return fmt.Errorf("unknown %s %q", what, v)
		}
	}
	return nil
}

// BeforeMail reports whether the server did not want the connection, rather than the
// mail.
func (s Stage) BeforeMail() bool {
	switch s {
	case StageConnect, StageTLS, StageBanner, StageEHLO, StageSTARTTLS, StageAuth:
		return true
	}
	return false
}
