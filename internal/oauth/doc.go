// Package oauth gets the access tokens with which accounts log in (OAuth 2.0,
// RFC 6749), at Microsoft and Google.
//
// [Tokens] keeps each account's access token in the process and, sealed, in
// Redis. It asks for the next one some minutes before the old one ends, once
// for all processes: the one that holds the lock asks, the others wait for what it
// stores. A refresh token that the provider has replaced is stored, together
// with the access token, before anybody gets the latter. What is stored belongs
// to the grant it came from: a mailbox that is connected again starts anew.
//
// [SignIn] is the other half: it sends a person to the provider's sign-in page
// (authorization code with PKCE, RFC 7636), and redeems what the redirect brings for
// a refresh token. Package accounts knows which account a sign-in is for.
// [Complete] answers the redirect with a page; [Loopback] is where it comes back to
// for a command line (RFC 8252).
package oauth
