// Package netguard dials servers that users have named, and nothing else.
//
// Somebody who may enter the host of a mail server or of an OAuth2 endpoint could
// otherwise look through this system into the network behind it. A [Guard]
// judges each address after name resolution, at the moment of connecting, so a
// name that resolves to something else the second time gains nothing; of a name
// with several addresses only the allowed ones get a packet. Allowed are public
// addresses and what the operator lists, and the ports of mail submission; the
// HTTP client has port 443, TLS alone, and a few redirects, each judged anew.
//
// What is refused is a [Refused]. Its text tells an outsider nothing about the
// address; the log does.
package netguard
