package signin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/session"
	producer "github.com/rohrpost/rohrpost/producer/adminlink"
)

// issuers are the applications as their links are redeemed.
func issuers(links []configs.Link) []adminlink.Issuer {
	var out []adminlink.Issuer
	for _, l := range links {
		out = append(out, adminlink.Issuer{Name: l.Issuer, Secret: l.Secret, PublicKey: l.PublicKey, Tenants: l.Tenants, Roles: l.Roles, Operators: l.Operators})
	}
	return out
}

// Redeem signs in whoever a signed link brings. The error is one of internal/adminlink,
// or ErrUnavailable.
func (l *Login) Redeem(w http.ResponseWriter, r *http.Request, token string) (producer.Link, error) {
	link, issuer, err := l.links.Redeem(r.Context(), token)
	if errors.Is(err, adminlink.ErrUnasked) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err == nil {
		err = l.begin(w, r, session.Session{
			Way: byLink, Issuer: issuer.Name, Name: link.Subject, Called: link.Name, Role: link.Role, Tenant: ownTenant(link), User: ownUser(link),
			Address: link.Email, Language: link.Language, Zone: link.Zone, Return: link.ReturnURL, Proof: issuer.Fingerprint(),
		})
	}
	if err != nil {
		l.options.Logger.Warn().Err(err).Stringer("address", proxies(l.options.Proxies).client(r)).Msg("web: a signed link lets nobody in")
		return producer.Link{}, err
	}
	return link, nil
}

// ownTenant is the tenant that bounds a person. That of an operator's link is only where
// they begin.
func ownTenant(link producer.Link) string {
	if link.Role == producer.Operator {
		return ""
	}
	return link.Tenant
}

// ownUser is the user that bounds a person. The place of others is only where they begin.
func ownUser(link producer.Link) string {
	if link.Role == producer.User {
		return producer.UserOf(link.Place)
	}
	return ""
}
