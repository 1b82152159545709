package redisstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/resolver"
)

// A Change is one line of the audit stream. Of secrets it says only that they
// were changed or removed.
type Change struct {
	Time   time.Time      `json:"time"`
	Actor  Actor          `json:"actor"`
	Action string         `json:"action"` // set, delete, accept, request, unlock, lock, check, approve, refuse, release, reseal
	Place  resolver.Place `json:"place"`
	// Version is that of the record after the change; 0: an older version of this
	// program has made it, or it changed no record.
	Version int64         `json:"version,omitempty"`
	Fields  []FieldChange `json:"fields,omitempty"`
}

// A FieldChange is the old and the new value of a field; empty is none.
type FieldChange struct {
	Field string `json:"field"` // as "account.smtp.host"
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// History is the changes at the places of a tenant (the platform's for ""), the
// latest first, at most limit.
func (s *Store) History(ctx context.Context, who Actor, tenant string, limit int) ([]Change, error) {
	p := resolver.Place{Tenant: tenant}
	if err := who.may(review, p); err != nil {
		return nil, err
	}
	return s.changes(ctx, p, limit, func(*Change) bool { return true })
}

// HistoryOf is the changes at one place, the latest first, at most limit.
func (s *Store) HistoryOf(ctx context.Context, who Actor, p resolver.Place, limit int) ([]Change, error) {
	if err := who.may(review, p); err != nil {
		return nil, err
	}
	return s.changes(ctx, p, limit, func(c *Change) bool { return c.Place == p })
}

// auditPage is how many changes one round trip reads.
const auditPage = 500

// changes goes through the audit stream of a place's tenant, the latest change first,
// until limit of them are wanted.
func (s *Store) changes(ctx context.Context, p resolver.Place, limit int, wanted func(*Change) bool) ([]Change, error) {
	changes := []Change{}
	for last := "+"; ; {
		entries, err := s.redis.XRevRangeN(ctx, auditKey(p), last, "-", auditPage).Result()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			text, _ := e.Values["change"].(string)
			var c Change
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				return nil, fmt.Errorf("audit entry %s is damaged: %w", e.ID, err)
			}
			if !wanted(&c) {
				continue
			}
			if changes = append(changes, c); len(changes) == limit {
				return changes, nil
			}
		}
		if len(entries) < auditPage {
			return changes, nil
		}
		last = "(" + entries[len(entries)-1].ID
	}
}

// Released writes into the history of a place that somebody has let its account try
// again, which changes no record.
func (s *Store) Released(ctx context.Context, who Actor, p resolver.Place) error {
	entry, err := json.Marshal(Change{Time: s.now().UTC(), Actor: who, Action: "release", Place: p})
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return s.redis.XAdd(ctx, &redis.XAddArgs{Stream: auditKey(p), MaxLen: maxAudit, Approx: true, Values: []any{"change", entry}}).Err()
}

// diff is what differs between two records, field by field.
func diff(old, changed *stored) []FieldChange {
	before, after := flat(old), flat(changed)
	var fields []FieldChange
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if before[key] != after[key] {
			fields = append(fields, FieldChange{Field: key, Old: before[key], New: after[key]})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(union(old.Secrets, changed.Secrets))) {
		switch {
		case changed.Secrets[key] == "":
			fields = append(fields, FieldChange{Field: "account." + key, New: "removed"})
		case old.Secrets[key] != changed.Secrets[key]:
			fields = append(fields, FieldChange{Field: "account." + key, New: "changed"})
		}
	}
	return fields
}

func union(a, b map[string]string) map[string]string {
	u := maps.Clone(a)
	if u == nil {
		u = map[string]string{}
	}
	maps.Copy(u, b)
	return u
}

// flat is a record's fields by path, without its secrets and times.
func flat(s *stored) map[string]string {
	out := map[string]string{}
	flatten("", reflect.ValueOf(s.Entry), out)
	for key, set := range map[string]bool{"unlocked": s.Unlocked, "checked": s.Checked, "approved": s.Approved} {
		if set {
			out[key] = "true"
		}
	}
	for key, remark := range map[string]*Remark{"requested": s.Requested, "accepted": s.Accepted, "refused": s.Refused} {
		if remark != nil {
			out[key] = cmp.Or(remark.Text, "true")
		}
	}
	return out
}

func flatten(path string, v reflect.Value, into map[string]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			if v.Elem().Kind() == reflect.Bool {
				into[path] = fmt.Sprint(v.Elem().Bool())
				return
			}
			flatten(path, v.Elem(), into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && v.Type().Field(i).IsExported() {
				flatten(strings.TrimPrefix(path+"."+name, "."), v.Field(i), into)
			}
		}
	default:
		if image, ok := reflect.TypeAssert[resolver.Image](v); ok && len(image) > 0 {
			sum := sha256.Sum256(image)
			into[path] = fmt.Sprintf("image of %d bytes, sha256 %x", len(image), sum[:8])
			return
		}
		if !v.IsZero() {
			into[path] = fmt.Sprint(v.Interface())
		}
	}
}

// SinceApproval is how the settings at a place differ from those that an operator has
// approved last; if none has, or the history does not reach back so far, from nothing.
// The error is ErrForbidden or ErrUnknown, or that of Redis.
func (s *Store) SinceApproval(ctx context.Context, who Actor, p resolver.Place) ([]FieldChange, error) {
	if err := who.may(approve, p); err != nil {
		return nil, err
	}
	st, _, err := s.fetch(ctx, p)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, fmt.Errorf("%s: %w", p, ErrUnknown)
	}
	approved := false
	since, err := s.changes(ctx, p, 0, func(c *Change) bool {
		approved = approved || c.Place == p && c.Action == "approve"
		return c.Place == p && !approved
	})
	if err != nil {
		return nil, err
	}
	fields := diff(&stored{}, st)
	if approved {
		fields = folded(since)
	}
	return slices.DeleteFunc(fields, func(f FieldChange) bool { return !strings.HasPrefix(f.Field, "account.") }), nil
}

// folded are changes, the latest first, as one.
func folded(changes []Change) []FieldChange {
	first := map[string]FieldChange{}
	for _, c := range slices.Backward(changes) {
		for _, f := range c.Fields {
			if old, known := first[f.Field]; known {
				f.Old = old.Old
			}
			first[f.Field] = f
		}
	}
	var fields []FieldChange
	for _, key := range slices.Sorted(maps.Keys(first)) {
		if f := first[key]; f.Old != f.New {
			fields = append(fields, f)
		}
	}
	return fields
}
