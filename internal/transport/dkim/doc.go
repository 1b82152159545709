// Package dkim signs mails for the platform's own domains (RFC 6376), so that who
// receives them knows that the domain of From stands behind them.
//
// A [Key] belongs to a domain and a selector; its public half is a TXT record, which
// [Key.Record] writes and [Key.Compare] judges. A domain may have an RSA key and an
// Ed25519 key (RFC 8463) at a time: old verifiers skip what they do not know. [Sign]
// puts one DKIM-Signature per key in front of the message, and changes no octet of that.
//
// go-msgauth does the cryptography. It gets the fields that are signed on one line each,
// because it joins folded lines in a time that grows with their square.
package dkim
