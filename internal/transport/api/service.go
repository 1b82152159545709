package api

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Service is what one provider does in its own way.
type Service struct {
	Name        string                      // for people
	BaseURL     string                      // of a Mailbox that names none
	Path        func(address string) string // of the request, escaped, with its query
	ContentType string                      // of the request
	MaxMail     int                         // octets of a mail that is sent
	Limit       string                      // why, for people
	// Encode makes the request's body of the mail's header and body.
	Encode func(header, body []byte) [][]byte
	// Receipt is what to keep of an acceptance: an id by which support finds it.
	Receipt func(header http.Header, answer []byte) string
	// Explain reads a refusal. The answer may be anything, but not long.
	Explain func(header http.Header, answer []byte) Problem
}

// A Problem is why a provider refuses.
type Problem struct {
	Codes []string // for failure.Cause.APICode, the most special first
	Text  string   // one line; "": there was none
}

// target is where the mailbox's mail is posted. The error wraps failure.ErrSettings.
func (s *Service) target(mb *Mailbox) (*url.URL, error) {
	var errs []error
	if err := rohrpost.CheckAddress(mb.Address); err != nil {
		errs = append(errs, fmt.Errorf("mailbox: %w", err))
	}
	if mb.Token == nil {
		errs = append(errs, errors.New("no source of access tokens"))
	}
	u, err := url.Parse(strings.TrimSuffix(cmp.Or(mb.BaseURL, s.BaseURL), "/") + s.Path(mb.Address))
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		errs = append(errs, errors.New("base URL: only https://host/path"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", failure.ErrSettings, s.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return u, nil
}

// address is host:port, for people.
func address(u *url.URL) string { return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")) }

// content is the request's body: the mail, addressed to these recipients.
func (s *Service) content(mail []byte, recipients []string) ([][]byte, error) {
	header, body, err := Readdress(mail, recipients)
	if err != nil {
		return nil, err
	}
	if n := len(header) + len(body); n > s.MaxMail {
		return nil, fmt.Errorf("%w: %d octets, %s takes %d (%s)", failure.ErrTooLarge, n, s.Name, s.MaxMail, s.Limit)
	}
	return s.Encode(header, body), nil
}
