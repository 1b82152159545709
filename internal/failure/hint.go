package failure

import (
	"fmt"
	"strings"
	"time"
)

// A Moment is when a hint is read. The zero value is while the mail waits: what the
// hint says of further tries is true then.
type Moment struct {
	Final bool          // the mail has failed: nobody tries it again
	Tried time.Duration // for how long it was tried before; 0: not known, or it was not
	Test  bool          // a test mail, or an examination by the doctor: it is not repeated by itself
}

// Test is the moment of a test mail or an examination.
func Test() Moment { return Moment{Test: true} }

// A pair is a text in both languages.
type pair struct {
	EN string `yaml:"en"`
	DE string `yaml:"de"`
}

func (p pair) in(german bool) string {
	if german {
		return p.DE
	}
	return p.EN
}

// Hint is what an administrator should do about a failure of this rule while its mail
// waits, in German for "de" (or "de-AT" …), else in English. An unknown rule has the
// hint of an unknown answer.
func Hint(rule int, lang string) string { return Moment{}.Hint(rule, lang) }

// Hint is what an administrator should do about a failure of this rule at this moment.
// The languages are those of [Hint].
func (m Moment) Hint(rule int, lang string) string {
	t := table()
	r := t.rules[rule]
	if r == nil {
		r = t.rules[fallback]
	}
	lang, _, _ = strings.Cut(lang, "-")
	german := strings.EqualFold(lang, "de")
	hint := pair{r.EN, r.DE}.in(german)
	before, rest, marked := strings.Cut(hint, "{")
	promise, after, _ := strings.Cut(rest, "}")
	switch instead := t.instead[m.name()].in(german); {
	case instead == "":
		return before + promise + after
	case marked:
		return strings.TrimSpace(before + m.complete(instead, german) + after)
	case m.Final && !over(r.Class):
		return hint + " " + m.complete(instead, german)
	}
	return hint
}

// name is that of the sentence in the file; "" has none.
func (m Moment) name() string {
	switch {
	case m.Test:
		return "test"
	case m.Final && m.Tried >= time.Minute:
		return "tried"
	case m.Final:
		return "final"
	}
	return ""
}

// over tells the classes whose hints say already that nothing is tried again.
func over(c Class) bool { return c == Permanent || c == Expired || c == Uncertain }

// complete puts in for how long it was tried.
func (m Moment) complete(sentence string, german bool) string {
	return strings.ReplaceAll(sentence, "TIME", span(m.Tried, german))
}

// span is a duration as people say it: "24 hours", "90 Minuten", "3 days".
func span(d time.Duration, german bool) string {
	n, en, de := int64(d.Round(time.Minute)/time.Minute), "minute", "Minute"
	switch {
	case d >= 71*time.Hour:
		n, en, de = int64(d.Round(24*time.Hour)/(24*time.Hour)), "day", "Tag"
	case d >= 119*time.Minute:
		n, en, de = int64(d.Round(time.Hour)/time.Hour), "hour", "Stunde"
	}
	if german {
		switch {
		case n == 1:
			return fmt.Sprintf("%d %s", n, de)
		case de == "Tag":
			return fmt.Sprintf("%d Tage", n)
		}
		return fmt.Sprintf("%d %sn", n, de)
	}
	if n != 1 {
		en += "s"
	}
	return fmt.Sprintf("%d %s", n, en)
}

// Hint is Hint of the failure's rule.
func (f *Failure) Hint(lang string) string { return Hint(f.Rule, lang) }

// HintAt is the hint of the failure's rule at this moment.
func (f *Failure) HintAt(m Moment, lang string) string { return m.Hint(f.Rule, lang) }

// OfOperator reports whether nobody but the operator of this system can mend what a rule
// is about, as a key that workers lack.
func OfOperator(rule int) bool {
	r := table().rules[rule]
	return r != nil && r.Operator
}
