package accountpages

import (
	"fmt"
	"strconv"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// A limit is a number of the settings that most leave empty: what the provider is known to
// allow counts then.
type limit struct {
	key   string
	value *int
	known int // of the provider; 0: nothing is known
}

// limitsOf are those of an account's mails.
func limitsOf(l *resolver.Limits, known resolver.Limits) []limit {
	return []limit{
		{"limits.per_minute", &l.PerMinute, known.PerMinute},
		{"limits.per_hour", &l.PerHour, known.PerHour},
		{"limits.per_day", &l.PerDay, known.PerDay},
		{"limits.recipients_per_day", &l.RecipientsPerDay, known.RecipientsPerDay},
		{"limits.recipients_per_mail", &l.RecipientsPerMail, known.RecipientsPerMail},
	}
}

// number is what was entered; 0: nothing, or no number.
func (f *form) number(key string) int {
	n, _ := strconv.Atoi(f.value(key))
	return max(0, n)
}

// readNumbers finds what is no number among the limits.
func (f *form) readNumbers() {
	keys := []string{"smtp.max_connections"}
	for _, l := range limitsOf(&resolver.Limits{}, resolver.Limits{}) {
		keys = append(keys, l.key)
	}
	for _, key := range keys {
		text := f.value(key)
		if n, err := strconv.Atoi(text); text != "" && (err != nil || n < 0) {
			f.errs = append(f.errs, &rohrpost.FieldError{Field: key, Problem: "must be a whole number, 0 or more"})
		}
	}
}

// applyLimits puts the limits into settings, as far as the form has them.
func (f *form) applyLimits(a *resolver.Settings) {
	limits := resolver.Limits{}
	if a.Limits != nil {
		limits = *a.Limits
	}
	for _, l := range limitsOf(&limits, resolver.Limits{}) {
		if f.values.Has(l.key) {
			*l.value = f.number(l.key)
		}
	}
	if a.Limits = &limits; limits == (resolver.Limits{}) {
		a.Limits = nil
	}
}

// bound holds the connections of what a tenant has to accounts.max_connections. A larger
// number would be stored, and not be kept to.
func (s *Pages) bound(place resolver.Place, f *form) {
	n := f.number("smtp.max_connections")
	if place.Level() == resolver.Platform || s.MaxConnections == 0 || n <= s.MaxConnections {
		return
	}
	f.errs = append(f.errs, &rohrpost.FieldError{
		Field: "smtp.max_connections", Problem: fmt.Sprintf("%d is more than the platform allows an account: at most %d", n, s.MaxConnections),
	})
}

// advanced are the limits. Connections beside OAuth2 are not the settings' to choose.
func (f *form) advanced(b *builder, preset resolver.Preset, oauth bool) section {
	limits := resolver.Limits{}
	if f.on.Limits != nil {
		limits = *f.on.Limits
	}
	list := limitsOf(&limits, preset.Limits)
	if !oauth {
		list = append([]limit{{"smtp.max_connections", &f.on.SMTP.MaxConnections, preset.Connections}}, list...)
	}
	out := section{Key: "advanced"}
	for _, l := range list {
		field := b.field("number", l.key, numberOrNone(*l.value))
		if f.values.Has(l.key) {
			field.Value = f.value(l.key)
		}
		field.Placeholder = numberOrNone(l.known)
		out.Fields = append(out.Fields, field)
	}
	out.Folded = !out.touched()
	return out
}
