package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/rohrpost/rohrpost"
)

const maxConnections = 1000

// Validate finds what keeps the account from sending. The error joins one
// *rohrpost.FieldError per problem, with the field as a file spells it; nil
// means that a mail can be tried. An account that is switched off may be
// incomplete, but what stands there must be right.
func (a *Account) Validate() error {
	c := checker{complete: !a.UsePlatformDefault}
	if a.UsePlatformDefault && a.Level == Platform {
		c.fail("use_platform_default", "the platform's account is the default itself")
	}
	c.fallback(a)
	c.address("address", a.Address, c.complete)
	c.line("name", a.Name)
	c.central(a)
	for i, alias := range a.Aliases {
		c.address(fmt.Sprintf("aliases[%d]", i), alias, true)
	}
	c.address("reverse_path", a.ReversePath, false)
	if _, known := PresetByID(a.Provider); a.Provider != "" && a.Provider != "custom" && !known {
		c.fail("provider", "%q is not known; known are %s, custom", a.Provider, knownPresets())
	}
	c.limits(&a.Limits)
	if !a.OAuth2.InUse() {
		c.smtp(&a.SMTP, a.Unusable == "")
		return errors.Join(c.errs...)
	}
	c.oauth2(&a.OAuth2, a.Unusable == "")
	c.application(a)
	if c.complete = false; a.SMTP.Encryption != "" {
		c.smtp(&a.SMTP, false) // kept, not used: it may be incomplete
	}
	return errors.Join(c.errs...)
}

func knownPresets() string {
	var ids []string
	for _, p := range Presets() {
		ids = append(ids, p.ID)
	}
	return strings.Join(ids, ", ")
}

type checker struct {
	complete bool // nothing may be missing
	errs     []error
}

func (c *checker) fail(field, format string, args ...any) {
	c.errs = append(c.errs, &rohrpost.FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
}

func (c *checker) address(field, s string, required bool) {
	if s == "" {
		if required {
			c.fail(field, "is missing")
		}
		return
	}
	if err := rohrpost.CheckAddress(s); err != nil {
		c.fail(field, "%v", err)
	}
}

func (c *checker) line(field, s string) {
	if strings.ContainsFunc(s, unicode.IsControl) || len(s) > 256 {
		c.fail(field, "must be one line of at most 256 bytes")
	}
}

func (c *checker) url(field, s string) {
	u, err := url.Parse(s)
	if s == "" {
		return
	}
	local := err == nil && u.Scheme == "http" && onThisMachine(u.Hostname())
	if err != nil || u.Scheme != "https" && !local || u.Host == "" || u.User != nil {
		c.fail(field, "must be a URL that begins with https://")
	}
}

func (c *checker) central(a *Account) {
	if a.CentralSender == (rohrpost.Address{}) {
		return
	}
	if a.Level != Tenant {
		c.fail("central_sender", "only a tenant's account has one")
	}
	c.line("central_sender.name", a.CentralSender.Name)
	c.address("central_sender.address", a.CentralSender.Address, true)
}

func (c *checker) smtp(s *SMTP, secretKnown bool) {
	switch {
	case s.Host == "" && c.complete:
		c.fail("smtp.host", "is missing: the name or IP address of the mail server")
	case s.Host != "" && !isHost(s.Host):
		c.fail("smtp.host", "%q is neither a host name nor an IP address (the port has its own key)", s.Host)
	}
	if s.Port < 1 || s.Port > 65535 {
		c.fail("smtp.port", "%d is not within 1 to 65535", s.Port)
	}
	switch s.Encryption {
	case None, STARTTLS, TLS:
	default:
		c.fail("smtp.encryption", "%q is not one of none, starttls, tls", s.Encryption)
	}
	if s.MaxConnections < 0 || s.MaxConnections > maxConnections {
		c.fail("smtp.max_connections", "%d is not within 0 to %d", s.MaxConnections, maxConnections)
	}
	if !s.Authentication {
		return
	}
	// NUL separates user name and password in AUTH PLAIN (RFC 4616 §2).
	if strings.ContainsFunc(s.Username, unicode.IsControl) || strings.Contains(s.Password.Reveal(), "\x00") {
		c.fail("smtp.username", "user name and password must not hold control characters")
	}
	if c.complete && s.Username == "" {
		c.fail("smtp.username", "is missing")
	}
	if c.complete && secretKnown && s.Password.IsZero() {
		c.fail("smtp.password", "is missing: set password_file or password, or authentication: false")
	}
	if s.Encryption == None && !s.AllowPlaintextLogin {
		c.fail("smtp.encryption", "a login without encryption shows the password to everybody on the way: "+
			"use starttls or tls, or set allow_plaintext_login: true")
	}
}

// isHost takes names (RFC 1123 §2.1, international ones too) and IP addresses.
func isHost(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Zone() == ""
	}
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return false
			}
		}
	}
	return true
}
