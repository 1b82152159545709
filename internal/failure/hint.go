package failure

import "strings"

// Hint is what an administrator should do about a failure of this rule, in
// German for "de" (or "de-AT" …), else in English. An unknown rule has the hint
// of an unknown answer.
func Hint(rule int, lang string) string {
	t := table()
	r := t.rules[rule]
	if r == nil {
		r = t.rules[fallback]
	}
	if lang, _, _ = strings.Cut(lang, "-"); strings.EqualFold(lang, "de") {
		return r.DE
	}
	return r.EN
}

// Hint is Hint of the failure's rule.
func (f *Failure) Hint(lang string) string { return Hint(f.Rule, lang) }

// OfOperator reports whether nobody but the operator of this system can mend what a rule
// is about, as a key that workers lack.
func OfOperator(rule int) bool {
	r := table().rules[rule]
	return r != nil && r.Operator
}
