package redisstore

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

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
	// Unbound says that one of them is sealed for no server in particular, as older
	// versions did: whoever writes to Redis could have it used for another server.
	Unbound bool
	// Account is what comes of the settings; nil without any. Its secrets are
	// open if this process has a key, else the account says that it has none.
	Account *resolver.Account

	Unlocked bool // of a tenant: its own servers may be used
	Checked  bool // a test with these settings succeeded
	Approved bool // the platform has approved these settings
	Changed  time.Time

	Requested *Remark // of a tenant: its administrator asks for own servers
	Accepted  *Remark // of a tenant: its administrator answers for its own servers
	Refused   *Remark // an operator has refused the request or the settings, and why

	// Waits is what an operator has to decide here; empty: nothing.
	Waits Decision

	look *resolver.Branding
}

// A Remark says who has done something, when, and what they have written beside it.
type Remark struct {
	Time time.Time `json:"time"`
	By   string    `json:"by"`
	Text string    `json:"text,omitempty"`
}

// A stored is a record as JSON.
type stored struct {
	Entry    resolver.Entry    `json:"entry"`
	Secrets  map[string]string `json:"secrets,omitempty"` // sealed, by key
	Unlocked bool              `json:"unlocked,omitempty"`
	Checked  bool              `json:"checked,omitempty"`
	Approved bool              `json:"approved,omitempty"`
	Changed  time.Time         `json:"changed"`

	Requested *Remark `json:"requested,omitempty"`
	Accepted  *Remark `json:"accepted,omitempty"`
	Refused   *Remark `json:"refused,omitempty"`

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
		Unbound: st.anyUnbound(), Unlocked: st.Unlocked, Checked: st.Checked, Approved: st.Approved, Changed: st.Changed,
		Requested: st.Requested, Accepted: st.Accepted, Refused: st.Refused,
		look: st.Entry.Branding,
	}
	r.Waits = s.policy.waits(p, st, cmp.Or(tenant, st))
	for key := range st.Secrets {
		r.Secrets = append(r.Secrets, key)
	}
	if st.Entry.Account == nil {
		return r
	}
	r.Account = s.unseal(p, st.Entry.Account.Clone(), st.Secrets)
	r.Account.Trusted = p.Tenant == ""
	r.Account.State = s.policy.state(p, st, cmp.Or(tenant, st))
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
