package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// grants are the keys under which tokens are stored.
func (b *bench) grants() []string {
	b.Helper()
	keys, err := b.rdb.Keys(b.Context(), "rohrpost:oauth:{*}").Result()
	if err != nil {
		b.Fatal(err)
	}
	return keys
}

// TestCopiedToken is the token of another account in the hash of one's own, whose
// endpoint is one's own, too.
func TestCopiedToken(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string][]string{"access token": {"a", "i"}, "refresh token": {"r"}, "both": {"a", "i", "r"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, oauthtest.Options{Rotate: true})
			victim := b.delegated()
			taken := b.good(b.process(), victim, "")
			stolen := b.rdb.HGetAll(t.Context(), b.grants()[0]).Val()
			b.rdb.FlushAll(t.Context())

			evil := oauthtest.Start(t, oauthtest.Options{Rotate: true}) // refuses what it has not given
			own := oauth.Credentials{
				Account: "evil/eve", Provider: oauth.Microsoft, ClientID: "client-1",
				RefreshToken: secret.New(evil.Connect("eve@evil.example")), TokenURL: evil.TokenURL(), AuthURL: evil.AuthURL(),
			}
			ask := func() string {
				t.Helper()
				got, err := b.process(func(o *oauth.Options) { o.HTTPClient = evil.Client() }).Token(t.Context(), own, secret.String{})
				if err != nil {
					t.Fatal(err)
				}
				return got.Reveal()
			}
			ask()
			for _, f := range fields {
				b.rdb.HSet(t.Context(), b.grants()[0], f, stolen[f])
			}
			if name == "refresh token" {
				b.pass(2 * time.Hour) // else the access token is enough
			}
			if got := ask(); got == taken || !evil.Valid(got) {
				t.Error("the other's token was given")
			}
			if n := evil.Count(""); n != 2 {
				t.Errorf("%d requests, want one for each token", n)
			}
			if !strings.Contains(b.log.String(), "entered for something else") {
				t.Errorf("the log says nothing of it:\n%s", b.log)
			}
		})
	}
}

// TestUnboundToken is a token of a version that sealed for no grant in particular.
func TestUnboundToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c := b.delegated()
	b.good(b.process(), c, "")
	key := b.grants()[0]
	plant := func() string {
		t.Helper()
		token := b.srv.Connect("max@acme.example")
		sealed, err := b.box.Seal(secret.New(token), nil)
		if err != nil {
			t.Fatal(err)
		}
		b.rdb.HSet(t.Context(), key, "r", sealed, "e", 0)
		return token
	}
	readableBefore := func() bool {
		_, access := b.box.Open(b.rdb.HGet(t.Context(), key, "a").Val(), nil)
		_, refresh := b.box.Open(b.rdb.HGet(t.Context(), key, "r").Val(), nil)
		if (access == nil) != (refresh == nil) {
			t.Errorf("of two forms: %v, %v", access, refresh)
		}
		return access == nil
	}

	old := plant()
	p := b.process()
	b.good(p, c, "")
	if used := b.used(); used[len(used)-1] != old {
		t.Error("it was not used")
	}
	if !readableBefore() {
		t.Error("a worker of the version before cannot read what came of it")
	}
	list := []oauth.Credentials{c}
	b.touch(p, list, 0)
	for _, want := range []int{1, 0} {
		n, err := p.Reseal(t.Context(), list, nil)
		if err != nil || n != want {
			t.Errorf("%d sealed anew, want %d: %v", n, want, err)
		}
	}
	if readableBefore() {
		t.Error("it is not bound")
	}
	b.pass(2 * time.Hour)
	b.good(b.process(), c, "")
	if readableBefore() {
		t.Error("its successor is not bound")
	}

	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if b.box, err = seal.New(seal.Options{Identities: identity, RequireBound: true}); err != nil {
		t.Fatal(err)
	}
	plant()
	asked := b.srv.Count("")
	f := b.bad(b.process(), c, "")
	checkFailure(t, f, failure.Config, "config_invalid")
	if f.NeedsPerson() || !strings.Contains(f.Diagnostic, "account reseal") || b.srv.Count("") != asked {
		t.Errorf("where it must be bound: %+v, %d requests", f, b.srv.Count("")-asked)
	}
}
