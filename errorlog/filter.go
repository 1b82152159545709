package errorlog

import (
	"errors"
	"time"
)

// A Filter picks entries. The zero value picks all of the platform's own.
type Filter struct {
	Tenant     string // exactly this one; empty: the platform itself
	AllTenants bool   // instead of Tenant, which must be empty then

	From, To  time.Time // both inclusive; zero: all that is held
	Category  string    // empty: any
	JobID     string    // empty: any
	Recipient string    // the full address, in any case; empty: any

	OldestFirst bool // else the newest entry comes first
	Limit       int  // most entries; 0: all

	// Zone is that in which times are shown; nil: the zone of the log's clock.
	Zone *time.Location
}

// ErrFilter says that a filter contradicts itself.
var ErrFilter = errors.New("errorlog: filter")

func (f Filter) check() error {
	var errs []error
	if f.AllTenants && f.Tenant != "" {
		errs = append(errs, errors.New("a tenant and all tenants"))
	}
	if f.Limit < 0 {
		errs = append(errs, errors.New("negative limit"))
	}
	if !f.From.IsZero() && !f.To.IsZero() && f.From.After(f.To) {
		errs = append(errs, errors.New("from is after to"))
	}
	if len(errs) > 0 {
		return errors.Join(append([]error{ErrFilter}, errs...)...)
	}
	return nil
}

// byContent reports whether entries must be read to know which ones are picked.
func (f Filter) byContent() bool {
	return !f.From.IsZero() || !f.To.IsZero() || f.Category != "" || f.JobID != "" || f.Recipient != ""
}
