package resolver

import (
	"fmt"
	"net/netip"
	"strings"
)

// onThisMachine: what is sent there crosses no network.
func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Warnings are what is advised against and still allowed, one sentence each.
func (a *Account) Warnings() []string {
	if a.UsePlatformDefault {
		return nil
	}
	var w []string
	if a.Unusable != "" {
		w = append(w, a.Unusable+": its mails wait")
	}
	w = append(w, a.senderWarnings()...)
	if a.OAuth2.InUse() {
		return w
	}
	s := &a.SMTP
	if s.Encryption == None && !onThisMachine(s.Host) {
		w = append(w, "encryption is none: mails cross the network readable for everybody; starttls or tls is recommended")
	}
	if s.Port == 465 && s.Encryption == STARTTLS || s.Port == 587 && s.Encryption == TLS {
		w = append(w, fmt.Sprintf("port %d with encryption %s is unusual: 465 goes with tls, 587 with starttls", s.Port, s.Encryption))
	}
	preset, _ := PresetByID(a.Provider)
	if preset.OAuth2 != "" && s.Authentication {
		w = append(w, fmt.Sprintf("a password at %s: %s", preset.Name, preset.Note.English))
	}
	return w
}

// senderWarnings are about addresses that the provider must know.
func (a *Account) senderWarnings() []string {
	var w []string
	login := a.Server()
	if login.Authentication && strings.Contains(login.Username, "@") && a.Address != "" && !strings.EqualFold(login.Username, a.Address) {
		w = append(w, fmt.Sprintf("the sender %s is not the login %s: most providers refuse a foreign sender address", a.Address, login.Username))
	}
	foreign := a.Aliases
	if c := a.CentralSender.Address; c != "" && !sameAddress(c, a.Address) && login.Authentication {
		w = append(w, fmt.Sprintf("the central sender %s must be an alias of the mailbox %s at the provider", c, a.Address))
		foreign = append([]string{c}, foreign...)
	}
	if len(foreign) == 0 {
		return w
	}
	preset, _ := PresetByID(a.Provider)
	if a.OAuth2.InUse() {
		preset = a.OAuth2.preset()
	}
	switch preset.From {
	case FromRewritten:
		w = append(w, fmt.Sprintf("%s replaces a From that is not confirmed there (\"Send mail as\") by %s, without an error", preset.Name, a.Address))
	case FromSendAs:
		w = append(w, fmt.Sprintf("%s needs the right \"Send As\" for %s", preset.Name, strings.Join(foreign, ", ")))
	case FromVerified:
		w = append(w, fmt.Sprintf("%s needs %s verified before it sends", preset.Name, strings.Join(foreign, ", ")))
	case FromMailbox:
	}
	return w
}
