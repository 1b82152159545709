package redisstore

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Record is what is stored at a place.
type Record struct {
	Place   resolver.Place
	Version int64 // counts the changes; a change names the one it was made from
	// Entry is what was entered, without its secrets.
	Entry resolver.Entry
	// Secrets are the keys of the secrets that are stored, as "smtp.password".
	Secrets []string
	// Account is what comes of the settings; nil without any. Its secrets are
	// open if this process has a key, else the account says that it has none.
	Account *resolver.Account

	Unlocked bool // of a tenant: its own servers may be used
	Checked  bool // a test with these settings succeeded
	Approved bool // the platform has approved these settings
	Changed  time.Time

	look *branding.Look
}

// A stored is a record as JSON.
type stored struct {
	Entry    resolver.Entry    `json:"entry"`
	Secrets  map[string]string `json:"secrets,omitempty"` // sealed, by key
	Unlocked bool              `json:"unlocked,omitempty"`
	Checked  bool              `json:"checked,omitempty"`
	Approved bool              `json:"approved,omitempty"`
	Changed  time.Time         `json:"changed"`

	version int64
}

func decode(p resolver.Place, value, version string) (*stored, error) {
	s := &stored{}
	if err := json.Unmarshal([]byte(value), s); err != nil {
		return nil, fmt.Errorf("the record of %s is damaged: %w", p, err)
	}
	if _, err := fmt.Sscan(version, &s.version); err != nil {
		return nil, fmt.Errorf("the record of %s has no version", p)
	}
	return s, nil
}

// record opens a stored record. tenant is that of a user's tenant, nil if there
// is none.
func (s *Store) record(p resolver.Place, st, tenant *stored) *Record {
	r := &Record{
		Place: p, Version: st.version, Entry: st.Entry,
		Unlocked: st.Unlocked, Checked: st.Checked, Approved: st.Approved, Changed: st.Changed,
		look: st.Entry.Branding.Look(),
	}
	for key := range st.Secrets {
		r.Secrets = append(r.Secrets, key)
	}
	if st.Entry.Account == nil {
		return r
	}
	settings := st.Entry.Account.Clone()
	var unusable error
	for key, into := range settings.Secrets() {
		sealed := st.Secrets[key]
		if sealed == "" {
			continue
		}
		value, err := s.box.Open(sealed)
		if err != nil {
			if key != "smtp.password" || settings.OAuth2 == nil { // it is not used beside OAuth2
				unusable = err
			}
			value = resolver.NewSecret(sealed) // there is one, though nobody here can read it
		}
		*into = value
	}
	r.Account = settings.Account(p.Level(), p.Tenant, p.User)
	r.Account.Trusted = p.Tenant == ""
	r.Account.State = s.policy.state(p, st, cmp.Or(tenant, st))
	if unusable != nil {
		r.Account.Unusable = "its secret cannot be read: " + unusable.Error()
		if errors.Is(unusable, seal.ErrNoIdentity) {
			r.Account.Unusable = strings.TrimPrefix(unusable.Error(), "the ")
		}
	}
	return r
}

// state follows from what the policy demands and what was done.
func (p Policy) state(place resolver.Place, st, tenant *stored) resolver.State {
	switch {
	case place.Tenant == "":
		return resolver.Active
	case p.Unlock && !tenant.Unlocked:
		return resolver.Locked
	case p.Check && !st.Checked:
		return resolver.Entered
	case p.Approve && !st.Approved:
		return resolver.Checked
	}
	return resolver.Active
}
