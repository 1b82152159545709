package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func (b *bench) touch(p *oauth.Tokens, list []oauth.Credentials, want int) []string {
	b.Helper()
	var failed []string
	n, err := p.Touch(b.Context(), list, func(c oauth.Credentials, f *failure.Failure) {
		failed = append(failed, c.Account+" "+f.Category)
	})
	if err != nil || n != want {
		b.Errorf("%d touched, want %d: %v", n, want, err)
	}
	return failed
}

func TestTouch(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true, ClientSecret: "s"})
	var list []oauth.Credentials
	for i := range 4 {
		c := b.delegated()
		c.Account, c.ClientSecret = fmt.Sprintf("acme/%d", i), secret.New("s")
		list = append(list, c)
	}
	app := list[0]
	app.RefreshToken, app.Directory = secret.String{}, "acme.example" // client credentials have nothing that ends
	unfit := oauth.Credentials{Account: "acme/unfit", Provider: oauth.Microsoft}
	list = append(list, app, unfit)
	p := b.process()

	b.touch(p, list, 4)
	b.touch(b.process(), list, 0)
	b.requests(4)

	b.pass(6 * 24 * time.Hour)
	b.good(p, list[1], "")
	b.requests(5)
	b.pass(25 * time.Hour)
	b.srv.Revoke(list[2].RefreshToken.Reveal())
	b.touch(p, list, 3) // all but the one that has sent
	b.requests(8)
	for i := range 13 { // 90 days and more without a mail
		b.pass(8 * 24 * time.Hour)
		b.touch(p, list, 4)
		b.requests(8 + 4*(i+1))
	}
}

func TestTouchFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	b.srv.Revoke(c.RefreshToken.Reveal())
	p := b.process()
	for range 3 {
		if got := b.touch(p, []oauth.Credentials{c}, 0); len(got) != 1 || got[0] != "acme/max oauth_expired" {
			t.Errorf("failed: %q", got)
		}
	}
	b.requests(1)

	b.redis.Kill()
	if _, err := p.Touch(t.Context(), []oauth.Credentials{c}, nil); err == nil {
		t.Error("Redis is gone: no error")
	}
}

func TestTouchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	b.srv.Once(oauthtest.Answer{}.Doing(cancel))
	n, err := b.process().Touch(ctx, []oauth.Credentials{b.delegated(), b.delegated()}, nil)
	if n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d touched, error %v", n, err)
	}
}

// After a new key the refresh tokens are sealed anew.
func TestTouchReseals(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	oldKey, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	newKey, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	box := func(identities string, recipients ...string) *seal.Box {
		x, err := seal.New(seal.Options{Identities: secret.New(identities), Recipients: recipients})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	c := b.delegated()
	b.box = box(oldKey.Reveal())
	b.good(b.process(), c, "")
	b.box = box(oldKey.Reveal()+"\n"+newKey.Reveal(), recipient)
	p := b.process()
	b.good(p, c, "")
	b.requests(1)
	b.touch(p, []oauth.Credentials{c}, 1)
	b.touch(p, []oauth.Credentials{c}, 0)
	b.requests(2)
	b.box = box(newKey.Reveal())
	b.good(b.process(), c, "")
	b.pass(2 * time.Hour)
	b.good(b.process(), c, "")
	b.requests(3)
}

func TestForget(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true})
	c, p := b.delegated(), b.process()
	b.good(p, c, "")
	if err := p.Forget(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if all := b.everything(); all != "" {
		t.Errorf("left over: %q", all)
	}
	b.good(p, c, "")
	b.requests(2)
}
