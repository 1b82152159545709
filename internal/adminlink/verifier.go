package adminlink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/producer/adminlink"
)

// Why a link lets nobody in. The text of the error names the cause for the log; it
// holds nothing of the token but claims whose signature is right.
var (
	ErrInvalid   = errors.New("the link is invalid")
	ErrExpired   = errors.New("the link has expired")
	ErrUsed      = errors.New("the link was used before")
	ErrForbidden = errors.New("the link asks for more than its issuer may give")
	ErrUnasked   = errors.New("whether the link was used before cannot be asked")
)

const (
	// MaxToken is the most octets of a token.
	MaxToken = 8 << 10
	// leeway is what the clocks of the application and of this machine may differ by.
	leeway = 5 * time.Second
	// maxID bounds the claim jti, in octets.
	maxID = 256
	// patience is how long Redis may take to answer.
	patience = 2 * time.Second
)

// Options of a Verifier. Redis is required.
type Options struct {
	Issuers []Issuer
	Redis   redis.UniversalClient
	Now     func() time.Time // nil: time.Now
}

// A Verifier redeems links.
type Verifier struct {
	redis   redis.UniversalClient
	now     func() time.Time
	issuers map[string]Issuer
	keys    map[string]key
}

// New checks the issuers. It does no I/O.
func New(o Options) (*Verifier, error) {
	v := &Verifier{redis: o.Redis, now: o.Now, issuers: map[string]Issuer{}, keys: map[string]key{}}
	if v.now == nil {
		v.now = time.Now
	}
	var errs []error
	for _, i := range o.Issuers {
		k, err := keyOf(i.Secret, i.PublicKey)
		if err != nil {
			errs = append(errs, fmt.Errorf("adminlink: issuer %q %w", i.Name, err))
		}
		if _, twice := v.issuers[i.Name]; twice || i.Name == "" {
			errs = append(errs, fmt.Errorf("adminlink: the issuer %q is there twice, or has no name", i.Name))
		}
		v.issuers[i.Name], v.keys[i.Name] = i, k
	}
	return v, errors.Join(errs...)
}

// Issuer is the one of that name.
func (v *Verifier) Issuer(name string) (Issuer, bool) {
	i, ok := v.issuers[name]
	return i, ok
}

// Redeem uses a token up, and says who comes and which issuer has sent them. The error
// is one of this package, with the cause.
func (v *Verifier) Redeem(ctx context.Context, token string) (adminlink.Link, Issuer, error) {
	issuer, claims, link, err := v.read(token)
	if err == nil {
		err = v.check(issuer, claims, link)
	}
	if err == nil {
		err = v.use(ctx, issuer.Name, claims.ID)
	}
	if err != nil {
		return adminlink.Link{}, Issuer{}, err
	}
	return link, issuer, nil
}

// read verifies the signature, with the key and the algorithm of the issuer that the
// token names.
func (v *Verifier) read(token string) (Issuer, jwt.Claims, adminlink.Link, error) {
	var claims jwt.Claims
	var link adminlink.Link
	fail := func(cause string) (Issuer, jwt.Claims, adminlink.Link, error) {
		return Issuer{}, jwt.Claims{}, adminlink.Link{}, fmt.Errorf("%w: %s", ErrInvalid, cause)
	}
	if len(token) > MaxToken {
		return fail("the token is too long")
	}
	unverified, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA, jose.HS256})
	if err != nil || unverified.UnsafeClaimsWithoutVerification(&claims) != nil {
		return fail("it is no token signed by EdDSA or HS256")
	}
	issuer, known := v.issuers[claims.Issuer]
	if !known {
		return fail("web.links does not have its issuer")
	}
	key := v.keys[issuer.Name]
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{key.algorithm})
	if err != nil {
		return fail(fmt.Sprintf("the key of %q is for %s, and the token is signed otherwise", issuer.Name, key.algorithm))
	}
	claims = jwt.Claims{}
	if err := signed.Claims(key.value, &claims, &link); err != nil {
		return fail(fmt.Sprintf("the signature is not that of %q, or a claim has another type", issuer.Name))
	}
	return issuer, claims, link, nil
}

func (v *Verifier) check(issuer Issuer, claims jwt.Claims, link adminlink.Link) error {
	now := v.now()
	err := claims.ValidateWithLeeway(jwt.Expected{Issuer: issuer.Name, AnyAudience: jwt.Audience{adminlink.Audience}, Time: now}, leeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("%w: issuer %q, at %v", ErrExpired, issuer.Name, claims.Expiry.Time().UTC())
	case errors.Is(err, jwt.ErrInvalidAudience):
		return fmt.Errorf("%w: the claim aud of %q is not %s", ErrInvalid, issuer.Name, adminlink.Audience)
	case err != nil:
		return fmt.Errorf("%w: issuer %q: its clock is ahead: iat or nbf lies in the future", ErrInvalid, issuer.Name)
	case claims.Expiry == nil || claims.Expiry.Time().Sub(now) > adminlink.Lifetime+leeway:
		return fmt.Errorf("%w: the claim exp of %q must be at most %v ahead", ErrInvalid, issuer.Name, adminlink.Lifetime)
	case claims.ID == "" || len(claims.ID) > maxID:
		return fmt.Errorf("%w: the claim jti of %q must have 1 to %d octets", ErrInvalid, issuer.Name, maxID)
	}
	if err := link.Validate(); err != nil {
		return fmt.Errorf("%w: issuer %q: %w", ErrInvalid, issuer.Name, err)
	}
	if !issuer.Allows(link.Role, link.Tenant) {
		return fmt.Errorf("%w: %q may not give the role %s in the tenant %q", ErrForbidden, issuer.Name, link.Role, link.Tenant)
	}
	return nil
}

// use remembers a token, so that it is good once.
func (v *Verifier) use(ctx context.Context, issuer, id string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := v.redis.SetArgs(ctx, usedKey(issuer, id), "1", redis.SetArgs{Mode: "NX", TTL: usedFor}).Err()
	switch {
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("%w: issuer %q", ErrUsed, issuer)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnasked, err)
	}
	return nil
}
