// Package oidc signs people in at an OpenID Connect provider, by the authorization code
// flow with PKCE (RFC 7636), state and nonce. What a sign-in needs until the browser
// comes back lies in a cookie there: nothing is kept of who only begins, and any process
// may complete it, once.
package oidc
