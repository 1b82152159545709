package signin

import (
	"errors"
	"net/http"
)

// ErrUnknownName says that a proxy names somebody who is no user of the configuration.
var ErrUnknownName = errors.New("the proxy names nobody who is known")

// byProxy is whom a trusted proxy names, by its address and its secret. It is not ok if
// none does.
func (l *Login) byProxy(r *http.Request) (p Person, ok bool, err error) {
	f := l.options.ForwardAuth
	names := r.Header.Values(f.Header)
	if f.Header == "" || len(names) == 0 {
		return Person{}, false, nil
	}
	secrets := r.Header.Values(f.SecretHeader)
	trusted := proxies(l.options.Proxies).trusts(peer(r))
	if !trusted || len(names) != 1 || len(secrets) != 1 || !sameToken(f.Secret.Reveal(), secrets[0]) {
		l.options.Logger.Warn().Str("header", f.Header).Stringer("peer", peer(r)).Bool("trusted_proxy", trusted).Bool("secret_sent", len(secrets) > 0).
			Msg("web: a header that names a user is not believed: it must come once, from an address of web.trusted_proxies, with web.forward_auth.secret")
		return Person{}, false, nil
	}
	u, known := l.users[names[0]]
	if !known {
		l.options.Logger.Warn().Str("user", names[0]).Msg("web: the proxy names somebody who is not in web.users")
		return Person{}, false, ErrUnknownName
	}
	return personOf(u), true, nil
}
