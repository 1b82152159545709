package seal_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// TestPurpose: a secret opens for what it was sealed for, and for nothing else.
func TestPurpose(t *testing.T) {
	t.Parallel()
	identity, _ := generate(t)
	b := box(t, seal.Options{Identities: identity})
	sealed := mustSeal(t, b, "canary")
	if v, err := b.Open(sealed, maps.Clone(server)); err != nil || v.Reveal() != "canary" {
		t.Errorf("for the same: %v", err)
	}
	with := func(name, value string) seal.Purpose {
		p := maps.Clone(server)
		p[name] = value
		return p
	}
	fewer := maps.Clone(server)
	delete(fewer, "port")
	for name, p := range map[string]seal.Purpose{
		"another host":   with("host", "smtp.evil.example"),
		"a line end":     with("host", "smtp.acme.example\"}\n"),
		"one value more": with("user", ""),
		"one value less": fewer,
		"nothing":        {},
		"none":           nil,
	} {
		if v, err := b.Open(sealed, p); !errors.Is(err, seal.ErrPurpose) || !v.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnbound is what was sealed before there were purposes.
func TestUnbound(t *testing.T) {
	t.Parallel()
	identity, recipient := generate(t)
	b := box(t, seal.Options{Identities: identity})
	old, err := b.Seal(secret.New("canary"), nil)
	if err != nil || !strings.HasPrefix(old, "age:") || seal.IsBound(old) || !seal.IsSealed(old) || !b.Current(old) {
		t.Fatalf("%.20q, %v", old, err)
	}
	if v, err := b.Open(old, server); err != nil || v.Reveal() != "canary" {
		t.Errorf("as it is: %v", err)
	}
	for name, o := range map[string]seal.Options{
		"a worker": {Identities: identity, RequireBound: true}, "who only stores": {Recipients: []string{recipient}, RequireBound: true},
	} {
		if v, err := box(t, o).Open(old, server); !errors.Is(err, seal.ErrUnbound) || !v.IsZero() {
			t.Errorf("%s that requires a purpose: %v", name, err)
		}
	}
	sealed := mustSeal(t, b, "canary")
	if !seal.IsBound(sealed) {
		t.Errorf("%.20q is not bound", sealed)
	}
	if v, err := box(t, seal.Options{Identities: identity, RequireBound: true}).Open(sealed, server); err != nil || v.Reveal() != "canary" {
		t.Errorf("bound, and it must be: %v", err)
	}
}

// TestForms: what stands outside cannot make one form of the other. A bound secret
// read as an unbound one would be its purpose and itself, sent to any server.
func TestForms(t *testing.T) {
	t.Parallel()
	identity, _ := generate(t)
	b := box(t, seal.Options{Identities: identity})
	old, err := b.Seal(secret.New("canary"), nil)
	if err != nil {
		t.Fatal(err)
	}
	bound := mustSeal(t, b, "canary")
	for _, text := range []string{"age:" + strings.TrimPrefix(bound, "age2:"), "age2:" + strings.TrimPrefix(old, "age:")} {
		if v, err := b.Open(text, server); !errors.Is(err, seal.ErrOpen) || !v.IsZero() {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
