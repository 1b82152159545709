package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/internal/words"
)

// maxListed is how many names or methods of a foreign server a report lists.
const maxListed = 5

// What a server may be called, and a login method (RFC 4422 §3.1). Anything else
// that a foreign server sends is not shown.
var (
	namePattern   = regexp.MustCompile(`^[0-9A-Za-z*._:-]{1,253}$`)
	methodPattern = regexp.MustCompile(`^[0-9A-Z_-]{1,20}$`)
)

// text is the sentence of a step that was done.
func (w *writer) text(s *smtp.Step) string {
	values := w.values(s)
	if f := s.Failure; f != nil {
		return w.lang.say(string(s.Name)+" "+w.kind(s), values...) + ": " + w.code(f) + "."
	}
	what := "passed"
	switch {
	case s.Name == smtp.StepEncryption && w.request.Server.Encryption == smtp.None:
		what = "none"
	case s.Name == smtp.StepEncryption && s.TLSVersion == "":
		what = "begun"
	case s.Name == smtp.StepMethods && len(methods(s)) == 0:
		what = "none"
	}
	return w.lang.say(string(s.Name)+" "+what, values...)
}

// kind is "failed", or how a certificate has.
func (w *writer) kind(s *smtp.Step) string {
	if _, busy := busy(s.Failure); busy {
		return "busy"
	}
	if s.Name != smtp.StepCertificate {
		return "failed"
	}
	_, name := errors.AsType[x509.HostnameError](s.Failure)
	_, authority := errors.AsType[x509.UnknownAuthorityError](s.Failure)
	switch {
	case w.now.After(s.NotAfter):
		return "expired"
	case w.now.Before(s.NotBefore):
		return "early"
	case name:
		return "name"
	case authority:
		return "authority"
	}
	return "failed"
}

// busy reports that all connections of the account carry mails, and how many there are.
func busy(f *failure.Failure) (connections int, busy bool) {
	if f == nil {
		return 0, false
	}
	b, ok := errors.AsType[*failure.Busy](f)
	if !ok {
		return 0, false
	}
	return b.Connections, true
}

// code is "login refused (535 5.7.8)".
func (w *writer) code(f *failure.Failure) string {
	category := words.Of(string(w.lang), words.Category, f.Category)
	switch {
	case f.Code == 0:
		return category
	case f.Enhanced == "":
		return fmt.Sprintf("%s (%d)", category, f.Code)
	}
	return fmt.Sprintf("%s (%d %s)", category, f.Code, f.Enhanced)
}

func (w *writer) values(s *smtp.Step) []string {
	addresses, remote := strconv.Itoa(len(s.Addresses)), ""
	if w.request.Operator {
		addresses, remote = listed(addressesOf(s)), " ("+s.Remote+")"
	}
	connections, _ := busy(s.Failure)
	days := w.days(s.NotAfter)
	return []string{
		"{addresses}", addresses, "{remote}", remote, "{port}", strconv.Itoa(w.request.Server.Port),
		"{version}", s.TLSVersion, "{methods}", listed(methods(s)),
		"{names}", listed(names(s)), "{host}", printable(w.request.Server.Host),
		"{from}", s.NotBefore.Format(time.DateOnly), "{until}", s.NotAfter.Format(time.DateOnly),
		"{days}", strconv.Itoa(max(days, -days)), "{connections}", strconv.Itoa(connections),
	}
}

// facts are what programs read in the report.
func (w *writer) facts(out *Step, s *smtp.Step) {
	if w.request.Operator {
		out.Addresses, out.Remote = addressesOf(s), s.Remote
	}
	out.TLSVersion, out.Methods, out.Names = s.TLSVersion, methods(s), names(s)
	if !s.NotAfter.IsZero() {
		days := w.days(s.NotAfter)
		out.DaysLeft = &days
	}
}

func addressesOf(s *smtp.Step) []string {
	var out []string
	for _, a := range s.Addresses {
		out = append(out, a.String())
	}
	return out
}

func methods(s *smtp.Step) []string { return matching(s.Mechanisms, methodPattern) }
func names(s *smtp.Step) []string   { return matching(s.Names, namePattern) }

func matching(list []string, pattern *regexp.Regexp) []string {
	var out []string
	for _, s := range list {
		if pattern.MatchString(s) {
			out = append(out, s)
		}
	}
	return out
}

// listed joins the first of a list.
func listed(list []string) string {
	switch {
	case len(list) == 0:
		return "–"
	case len(list) > maxListed:
		return strings.Join(list[:maxListed], ", ") + " …"
	}
	return strings.Join(list, ", ")
}

// printable is a host as the user has typed it, fit for one line.
func printable(host string) string { return failure.Scrub(host) }
