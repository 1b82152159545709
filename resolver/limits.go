package resolver

import "cmp"

// Limits are what a provider allows an account. 0: no limit that is known.
type Limits struct {
	PerMinute         int `json:"per_minute,omitempty"` // messages
	PerHour           int `json:"per_hour,omitempty"`
	PerDay            int `json:"per_day,omitempty"` // rolling 24 hours
	RecipientsPerDay  int `json:"recipients_per_day,omitempty"`
	RecipientsPerMail int `json:"recipients_per_mail,omitempty"`
}

// or fills what is 0.
func (l Limits) or(o Limits) Limits {
	return Limits{
		PerMinute: cmp.Or(l.PerMinute, o.PerMinute), PerHour: cmp.Or(l.PerHour, o.PerHour), PerDay: cmp.Or(l.PerDay, o.PerDay),
		RecipientsPerDay: cmp.Or(l.RecipientsPerDay, o.RecipientsPerDay), RecipientsPerMail: cmp.Or(l.RecipientsPerMail, o.RecipientsPerMail),
	}
}

func (c *checker) limits(l *Limits) {
	for _, f := range []struct {
		field string
		value int
	}{
		{"limits.per_minute", l.PerMinute},
		{"limits.per_hour", l.PerHour},
		{"limits.per_day", l.PerDay},
		{"limits.recipients_per_day", l.RecipientsPerDay},
		{"limits.recipients_per_mail", l.RecipientsPerMail},
	} {
		if f.value < 0 {
			c.fail(f.field, "must not be negative (0: no limit)")
		}
	}
}
