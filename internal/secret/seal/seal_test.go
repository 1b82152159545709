package seal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func generate(t testing.TB) (secret.String, string) {
	t.Helper()
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return identity, recipient
}

func box(t testing.TB, o seal.Options) *seal.Box {
	t.Helper()
	b, err := seal.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// server is what the secrets of these tests are for.
var server = seal.Purpose{"secret": "smtp.password", "host": "smtp.acme.example", "port": "587"}

func mustSeal(t testing.TB, b *seal.Box, value string) string {
	t.Helper()
	sealed, err := b.Seal(secret.New(value), server)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	identity, recipient := generate(t)
	storer := box(t, seal.Options{Recipients: []string{recipient}})
	worker := box(t, seal.Options{Identities: identity})
	for _, value := range []string{"canary", "x", "Büro \x00\n", strings.Repeat("long", 100_000)} {
		sealed := mustSeal(t, storer, value)
		if strings.Contains(sealed, value) && len(value) > 1 || strings.ContainsAny(sealed, "\r\n ") || !seal.IsSealed(sealed) {
			t.Errorf("sealed as %.60q", sealed)
		}
		if again := mustSeal(t, storer, value); again == sealed {
			t.Error("the same secret is sealed the same twice")
		}
		got, err := worker.Open(sealed, server)
		if err != nil || got.Reveal() != value {
			t.Errorf("%.20q: %v", value, err)
		}
		if _, err := storer.Open(sealed, server); !errors.Is(err, seal.ErrNoIdentity) {
			t.Errorf("who only stores: %v", err)
		}
	}
	if s, err := storer.Seal(secret.String{}, server); s != "" || err != nil {
		t.Errorf("nothing: %q, %v", s, err)
	}
	if v, err := worker.Open("", server); !v.IsZero() || err != nil {
		t.Errorf("nothing: %v", err)
	}
	if !storer.CanSeal() || storer.CanOpen() || !worker.CanSeal() || !worker.CanOpen() {
		t.Error("who can what")
	}
}

// TestRotation is one secret on its way from an old key to a new one.
func TestRotation(t *testing.T) {
	t.Parallel()
	oldIdentity, oldRecipient := generate(t)
	newIdentity, newRecipient := generate(t)
	before := box(t, seal.Options{Identities: oldIdentity})
	during := box(t, seal.Options{
		Recipients: []string{newRecipient},
		Identities: secret.New("# old\n" + oldIdentity.Reveal() + "\n\n# new\n" + newIdentity.Reveal() + "\n"),
	})
	after := box(t, seal.Options{Identities: newIdentity})
	sealed := mustSeal(t, before, "canary")
	if !before.Current(sealed) || during.Current(sealed) {
		t.Error("current for the wrong keys")
	}
	value, err := during.Open(sealed, server)
	if err != nil {
		t.Fatal(err)
	}
	resealed := mustSeal(t, during, value.Reveal())
	if !during.Current(resealed) || !after.Current(resealed) {
		t.Error("resealed, and not current")
	}
	if got, err := after.Open(resealed, server); err != nil || got.Reveal() != "canary" {
		t.Errorf("the new key: %v", err)
	}
	if _, err := before.Open(resealed, server); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("the old key: %v", err)
	}
	several := box(t, seal.Options{Recipients: []string{newRecipient, oldRecipient, newRecipient}})
	for _, b := range []*seal.Box{before, after} {
		if got, err := b.Open(mustSeal(t, several, "canary"), server); err != nil || got.Reveal() != "canary" {
			t.Errorf("sealed for both: %v", err)
		}
	}
	if !box(t, seal.Options{Recipients: []string{oldRecipient, newRecipient}}).Current(mustSeal(t, several, "x")) {
		t.Error("the order of recipients counts")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	identity, _ := generate(t)
	for name, o := range map[string]seal.Options{
		"recipient":               {Recipients: []string{"age1nonsense"}},
		"identity as a recipient": {Recipients: []string{identity.Reveal()}},
		"identity":                {Identities: secret.New("canary")},
		"comments only":           {Identities: secret.New("# canary\n")},
	} {
		_, err := seal.New(o)
		if err == nil || !strings.Contains(err.Error(), "secrets.") || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "SECRET-KEY-1Q") ||
			strings.Contains(err.Error(), identity.Reveal()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var none *seal.Box
	if _, err := box(t, seal.Options{}).Seal(secret.New("canary"), server); !errors.Is(err, seal.ErrNoRecipient) {
		t.Errorf("without keys: %v", err)
	}
	if none.CanSeal() || none.CanOpen() || none.Current("age:00000000:") {
		t.Error("no box at all can do something")
	}
}

func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	identity, _ := generate(t)
	b := box(t, seal.Options{Identities: identity})
	sealed := mustSeal(t, b, "canary")
	for _, text := range []string{
		"canary", "age2:", "age2::", "age2:00000000:", "age3" + strings.TrimPrefix(sealed, "age2"), "age:", "age::", "age:0000000:x", "age:00000000:", "age:00000000:!!", sealed[:len(sealed)-8], sealed[:40],
		flipped(sealed, 40), flipped(sealed, len(sealed)/2), flipped(sealed, len(sealed)-12), sealed + "AAAA",
	} {
		if v, err := b.Open(text, server); !errors.Is(err, seal.ErrOpen) || !v.IsZero() {
			t.Errorf("%.30q: %v", text, err)
		}
	}
}

// flipped has another character at i.
func flipped(s string, i int) string {
	other := "x"
	if s[i:i+1] == other {
		other = "y"
	}
	return s[:i] + other + s[i+1:]
}

// FuzzOpen: whatever is stored, opening gives an error or what was sealed.
func FuzzOpen(f *testing.F) {
	identity, _ := generate(f)
	b := box(f, seal.Options{Identities: identity})
	f.Add(mustSeal(f, b, "canary"))
	f.Add("age2:00000000:YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==")
	f.Add("age:00000000:YWdlLWVuY3J5cHRpb24ub3JnL3YxCg==")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := b.Open(text, server)
		if err == nil && text != "" && v.Reveal() != "canary" {
			t.Errorf("%q opened", text)
		}
		if err != nil && strings.ContainsAny(fmt.Sprint(err), "\r\n") {
			t.Errorf("%q", err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	identity, _ := generate(b)
	x := box(b, seal.Options{Identities: identity})
	sealed := mustSeal(b, x, "canary")
	for b.Loop() {
		if _, err := x.Open(sealed, server); err != nil {
			b.Fatal(err)
		}
	}
}
