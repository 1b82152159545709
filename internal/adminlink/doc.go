// Package adminlink redeems the signed links by which applications bring their people
// to the pages. producer/adminlink makes them.
//
// A token is a JWT (RFC 7519). The kind of the issuer's key decides how it is signed,
// never the token: a secret means HS256, a public key means EdDSA. It is good for a
// minute at most, and once: Redis remembers it. When Redis cannot be asked, the link is
// refused, for nobody knows whether it was used.
package adminlink
