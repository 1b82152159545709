// Package idn writes the addresses of mailboxes as servers without SMTPUTF8 read them:
// the domain in A-labels (RFC 5891 §5). A local part has no such form (RFC 6531 §3.3).
package idn

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Domain is a domain in A-labels; what is ASCII stays as it is. The error says that
// there is no such form.
func Domain(domain string) (string, error) {
	if ASCII(domain) {
		return domain, nil
	}
	labels, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("the domain %q has no form in ASCII: %w", domain, err)
	}
	return labels, nil
}

// Address is an address with its domain in A-labels. needsUTF8 says that its local part
// is not ASCII: it can be written only where SMTPUTF8 is (RFC 6531 §3.2).
func Address(address string) (written string, needsUTF8 bool, err error) {
	at := strings.LastIndexByte(address, '@')
	domain, err := Domain(address[at+1:])
	if err != nil {
		return "", false, err
	}
	return address[:at+1] + domain, !ASCII(address[:at+1]), nil
}

// Name is the domain of an address as a name for the world, in lower case: the right side
// of a Message-ID. An IP address and a name without a dot are none: it is
// rohrpost.invalid then (RFC 2606 §2).
func Name(address string) string {
	const none = "rohrpost.invalid"
	name, err := idna.Lookup.ToASCII(strings.ToLower(address[strings.LastIndexByte(address, '@')+1:]))
	if err != nil || !strings.Contains(name, ".") {
		return none
	}
	return name
}

// ASCII reports whether s has no octet above 127.
func ASCII(s string) bool {
	for ; len(s) >= 8; s = s[8:] { // bodies are long
		if (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&utf8.RuneSelf != 0 {
			return false
		}
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
