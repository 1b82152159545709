package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/resolver"
)

// A Change is one line of the audit stream. Of secrets it says only that they
// were changed or removed.
type Change struct {
	Time   time.Time      `json:"time"`
	Actor  Actor          `json:"actor"`
	Action string         `json:"action"` // set, delete, unlock, lock, check, approve, reseal
	Place  resolver.Place `json:"place"`
	Fields []FieldChange  `json:"fields,omitempty"`
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
	entries, err := s.redis.XRevRangeN(ctx, auditKey(p), "+", "-", int64(limit)).Result()
	if err != nil {
		return nil, err
	}
	changes := make([]Change, len(entries))
	for i, e := range entries {
		text, _ := e.Values["change"].(string)
		if err := json.Unmarshal([]byte(text), &changes[i]); err != nil {
			return nil, fmt.Errorf("audit entry %s is damaged: %w", e.ID, err)
		}
	}
	return changes, nil
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
