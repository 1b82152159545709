package rohrpost

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost/internal/idn"
)

// An Address is a mailbox: an optional display name and local-part@domain.
// The domain may be international; transports turn it into A-labels.
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// ErrAddress is the identity of every address error.
var ErrAddress = errors.New("not a mail address")

const (
	maxAddress   = 254 // octets, RFC 5321 §4.5.3.1.3 without the angle brackets
	maxLocalPart = 64  // octets, RFC 5321 §4.5.3.1.1
	maxLabel     = 63  // octets, RFC 1035 §2.3.4

	// maxMailbox is the bytes of an address with its name, however that is written:
	// the 256 bytes of the longest name are a thousand as encoded words.
	maxMailbox = 4096
)

// ParseAddress reads "a@b.example" or "Name <a@b.example>" (RFC 5322 §3.4).
// What has more than 4096 bytes is refused unread.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if CheckAddress(s) == nil {
		return Address{Address: s}, nil
	}
	if len(s) > maxMailbox {
		return Address{}, fmt.Errorf("%.300q: %d bytes, at most %d: %w", s, len(s), maxMailbox, ErrAddress)
	}
	p, err := mail.ParseAddress(s)
	if err != nil {
		return Address{}, fmt.Errorf("%.300q: %w", s, ErrAddress)
	}
	if err := CheckAddress(p.Address); err != nil {
		return Address{}, err
	}
	if strings.ContainsFunc(p.Name, unicode.IsControl) {
		return Address{}, fmt.Errorf("display name: control character: %w", ErrAddress)
	}
	return Address{Name: p.Name, Address: p.Address}, nil
}

// CheckAddress tells whether s is a dot-atom local part (RFC 5321 §4.1.2, with
// the UTF-8 of RFC 6531) at a domain name or address literal. Quoted local
// parts are refused: no provider gives them out, and they carry injections.
func CheckAddress(s string) error {
	switch {
	case len(s) > maxAddress:
		return fmt.Errorf("%d bytes, at most %d: %w", len(s), maxAddress, ErrAddress)
	case !utf8.ValidString(s):
		return fmt.Errorf("invalid UTF-8: %w", ErrAddress)
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return fmt.Errorf("%q has no @: %w", s, ErrAddress)
	}
	local, domain := s[:at], s[at+1:]
	if err := checkLocal(local); err != nil {
		return fmt.Errorf("%q: %w: %w", s, err, ErrAddress)
	}
	if err := checkDomain(domain); err != nil {
		return fmt.Errorf("%q: %w: %w", s, err, ErrAddress)
	}
	return nil
}

func checkLocal(local string) error {
	if local == "" || len(local) > maxLocalPart {
		return errors.New("the part before @ must have 1 to 64 bytes")
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return errors.New("misplaced dot before @")
	}
	for _, r := range local {
		if !isAtext(r) && r != '.' {
			return fmt.Errorf("character %q before @", r)
		}
	}
	return nil
}

// isAtext is RFC 5322 §3.2.3 atext, with UTF8-non-ascii (RFC 6532 §3.1) but
// without what is invisible or moves the line.
func isAtext(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

func checkDomain(domain string) error {
	if domain == "" {
		return errors.New("no domain after @")
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		addr, err := netip.ParseAddr(strings.TrimPrefix(literal, "IPv6:"))
		if !closed || err != nil || addr.Zone() != "" || addr.Is6() != strings.HasPrefix(literal, "IPv6:") {
			return errors.New("malformed address literal")
		}
		return nil
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("malformed domain")
		}
		for _, r := range label {
			if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return fmt.Errorf("character %q in the domain", r)
			}
		}
	}
	return nil
}

// key is the address for comparing: the domain is case-insensitive and the same in
// A-labels (RFC 5890 §2.3.2.1), the local part is not (RFC 5321 §2.4).
func (a Address) key() string {
	at := strings.LastIndexByte(a.Address, '@')
	if at < 0 {
		return a.Address
	}
	domain := strings.ToLower(a.Address[at+1:])
	if labels, err := idn.Domain(domain); err == nil {
		domain = labels
	}
	return a.Address[:at+1] + domain
}

// checkWritten refuses an address that a header needs and that not every header can
// hold: one whose domain has no A-labels, or whose local part needs SMTPUTF8.
func checkWritten(s string) error {
	_, needsUTF8, err := idn.Address(s)
	switch {
	case err != nil:
		return errNoLabels
	case needsUTF8:
		return errNeedsUTF8
	}
	return nil
}

var (
	errNoLabels  = errors.New("its domain cannot be written in ASCII (A-labels)")
	errNeedsUTF8 = errors.New("the part before @ is not ASCII: many servers cannot send to it")
)
