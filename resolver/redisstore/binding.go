package redisstore

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
)

// Purpose is what a secret of these settings is for: which of them it is, whose
// account it belongs to, and where it goes. A record holds its secrets sealed for
// that, so that they open in no other one.
func Purpose(key string, p resolver.Place, settings *resolver.Settings) map[string]string {
	a := settings.Account(p.Level(), p.Tenant, p.User)
	if strings.HasPrefix(key, "smtp.") {
		return map[string]string{
			"secret": key, "place": p.String(), "host": a.SMTP.Host, "port": strconv.Itoa(a.SMTP.Port),
			"user": a.SMTP.Username, "encryption": string(a.SMTP.Encryption),
		}
	}
	o := &a.OAuth2
	return map[string]string{
		"secret": key, "place": p.String(), "provider": o.Provider, "user": o.Username,
		"directory": o.Tenant, "cloud": o.Cloud, "application": o.ClientID,
		"authorize": o.Endpoints.Authorize, "token": o.Endpoints.Token, "api": o.Endpoints.API, "smtp": o.Endpoints.SMTP,
	}
}

// sameTarget reports whether a secret would go to where it went before.
func sameTarget(key string, p resolver.Place, old, settings *resolver.Settings) bool {
	return maps.Equal(Purpose(key, p, old), Purpose(key, p, settings))
}

// unseal puts the stored secrets into the settings, and notes at the account that
// comes of them what is wrong with one.
func (s *Store) unseal(p resolver.Place, settings *resolver.Settings, sealed map[string]string) *resolver.Account {
	var unusable error
	secrets := settings.Secrets()
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		text := sealed[key]
		if text == "" {
			continue
		}
		value, err := s.box.Open(text, Purpose(key, p, settings))
		if err != nil {
			if unusable == nil && used(key, settings) {
				unusable = err
			}
			value = resolver.NewSecret(text) // there is one, though nobody here can read it
		}
		*secrets[key] = value
	}
	a := settings.Account(p.Level(), p.Tenant, p.User)
	switch {
	case unusable == nil:
	case errors.Is(unusable, seal.ErrPurpose):
		a.Unusable = resolver.Misplaced
	case errors.Is(unusable, seal.ErrNoIdentity):
		a.Unusable = strings.TrimPrefix(unusable.Error(), "the ")
	default:
		a.Unusable = "its secret cannot be read: " + unusable.Error()
	}
	return a
}

// anyUnbound reports whether a secret is sealed for no server in particular.
func (s *stored) anyUnbound() bool {
	for _, sealed := range s.Secrets {
		if !seal.IsBound(sealed) {
			return true
		}
	}
	return false
}

// used reports whether a secret is needed for sending: a password beside OAuth2 is not.
func used(key string, settings *resolver.Settings) bool {
	return key != "smtp.password" || settings.OAuth2 == nil
}
