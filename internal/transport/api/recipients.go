package api

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// addressable are the recipients that can be written into a header, and their indexes.
// The others get their failure.
func addressable(all []string, host string, verdicts []transport.Verdict) (recipients []string, indexes []int) {
	for i, a := range all {
		address, err := headerAddress(a)
		if err != nil {
			verdicts[i].Failure = failure.Classify(failure.Cause{Stage: failure.StageRcpt, Err: err, Host: host})
			continue
		}
		recipients, indexes = append(recipients, address), append(indexes, i)
	}
	return recipients, indexes
}

// headerAddress is the address as the composed mail has it: the domain as
// A-labels, unless the local part is UTF-8 anyway (RFC 6532 §3.2).
func headerAddress(a string) (string, error) {
	if err := rohrpost.CheckAddress(a); err != nil {
		return "", err
	}
	at := strings.LastIndexByte(a, '@')
	if !isASCII(a[:at]) || isASCII(a[at:]) {
		return a, nil
	}
	domain, err := idna.Lookup.ToASCII(a[at+1:])
	if err != nil {
		return "", fmt.Errorf("%q: %w: %w", a[at+1:], err, rohrpost.ErrAddress)
	}
	return a[:at+1] + domain, nil
}

// sameMailbox is an address for comparing: the domain is case-insensitive, the
// local part is not (RFC 5321 §2.4).
func sameMailbox(a string) string {
	at := strings.LastIndexByte(a, '@')
	domain, err := idna.Lookup.ToASCII(a[at+1:])
	if err != nil {
		domain = a[at+1:]
	}
	return a[:at+1] + strings.ToLower(domain)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
