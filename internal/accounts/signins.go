package accounts

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const (
	// signInFor is how long a sign-in may take.
	signInFor = 10 * time.Minute
	// maxSignIns is how many of a tenant may begin within that time.
	maxSignIns = 100
)

// ErrTooMany says that a tenant's people are connecting too many accounts.
var ErrTooMany = errors.New("too many accounts are being connected at this moment: try again in some minutes")

// signInKey holds one sign-in that is under way, sealed.
func signInKey(name string) string { return "rohrpost:connect:{" + name + "}" }

// signInsKey counts those of a tenant.
func signInsKey(tenant string) string { return "rohrpost:connect:tenant:" + tenant }

// signIns are the sign-ins that are under way in browsers. They stand in Redis: the
// redirect may come back to any process.
//
// The state that travels through the browser has two halves. The first finds the
// sign-in. The second is the key that it is sealed with, and stands nowhere else: who
// reads Redis learns neither the verifier nor an application's secret.
type signIns struct{ redis redis.UniversalClient }

// A signIn is a Connect that is under way.
type signIn struct {
	Who         redisstore.Actor        `json:"who"`
	Place       resolver.Place          `json:"place"`
	Settings    resolver.OAuth2Settings `json:"settings"`
	Secrets     map[string]string       `json:"secrets,omitempty"` // of Settings, by key: they print as [redacted]
	Address     string                  `json:"address,omitempty"`
	RedirectURL string                  `json:"redirect_url"`
	Verifier    string                  `json:"verifier"`
}

// keep answers with the state by which take finds the sign-in of a browser session. The
// error is ErrTooMany, or one of Redis.
func (s *signIns) keep(ctx context.Context, c *Connect, verifier secret.String) (state string, err error) {
	count := s.redis.Incr(ctx, signInsKey(c.Place.Tenant))
	if err := count.Err(); err != nil {
		return "", err
	}
	if err := s.redis.ExpireNX(ctx, signInsKey(c.Place.Tenant), signInFor).Err(); err != nil {
		return "", err
	}
	if count.Val() > maxSignIns {
		return "", ErrTooMany
	}
	kept := signIn{
		Who: c.Who, Place: c.Place, Settings: c.Settings, Secrets: map[string]string{}, Address: c.Address,
		RedirectURL: c.RedirectURL, Verifier: verifier.Reveal(),
	}
	settings := resolver.Settings{OAuth2: &kept.Settings}
	for key, value := range settings.Secrets() {
		if !value.IsZero() {
			kept.Secrets[key], *value = value.Reveal(), resolver.Secret{}
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return "", err
	}
	name, proof := rand.Text(), rand.Text()
	box, err := boxOf(proof)
	if err != nil {
		return "", err
	}
	sealed := box.Seal(nil, nil, text, bound(name, c.Session)) //nolint:gosec // the box draws a nonce
	return name + "." + proof, s.redis.Set(ctx, signInKey(name), sealed, signInFor).Err()
}

// take ends the sign-in under a state, if it is this session's. ok is false if there is
// none, or another process has taken it.
func (s *signIns) take(ctx context.Context, state, session string) (c Connect, verifier secret.String, ok bool, err error) {
	name, proof, _ := strings.Cut(state, ".")
	sealed, err := s.redis.Get(ctx, signInKey(name)).Bytes()
	if errors.Is(err, redis.Nil) {
		return c, verifier, false, nil
	}
	if err != nil {
		return c, verifier, false, err
	}
	box, err := boxOf(proof)
	if err != nil {
		return c, verifier, false, err
	}
	text, err := box.Open(nil, nil, sealed, bound(name, session))
	if err != nil {
		return c, verifier, false, nil //nolint:nilerr // another browser, or a state that somebody has made up
	}
	var kept signIn
	if err := json.Unmarshal(text, &kept); err != nil {
		return c, verifier, false, nil //nolint:nilerr // of another version: it starts again
	}
	settings := resolver.Settings{OAuth2: &kept.Settings}
	for key, value := range settings.Secrets() {
		*value = resolver.NewSecret(kept.Secrets[key])
	}
	deleted, err := s.redis.Del(ctx, signInKey(name)).Result()
	return Connect{
		Who: kept.Who, Place: kept.Place, Settings: kept.Settings, Address: kept.Address, RedirectURL: kept.RedirectURL, Session: session,
	}, secret.New(kept.Verifier), deleted == 1, err
}

func boxOf(proof string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(proof), nil, "rohrpost sign-in", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bound is what a sealed sign-in is bound to: its name, and the browser session.
func bound(name, session string) []byte { return []byte(name + "\x00" + session) }
