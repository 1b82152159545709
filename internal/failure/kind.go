package failure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost"
)

// What this system itself refuses, or finds missing, before or instead of a
// reply. Wrap them with what happened; Classify knows them by errors.Is.
var (
	ErrSettings      = errors.New("the account's settings are incomplete")
	ErrNoSTARTTLS    = errors.New("the server does not offer STARTTLS")
	ErrNoAuth        = errors.New("the server offers no login method that is known here")
	ErrCostlyLogin   = errors.New("the server's login demands too much work")
	ErrTooLarge      = errors.New("the message is larger than the server allows")
	ErrNeedsSMTPUTF8 = errors.New("the address needs SMTPUTF8, which the server does not offer")
	ErrExpired       = errors.New("the time of the message ran out")
	ErrUnwritten     = errors.New("the time of an attempt ran out before the mail was written")
	ErrMalformed     = errors.New("the message cannot be written as a mail")
	ErrInterrupted   = errors.New("the worker ended during the attempt")
	ErrArchived      = errors.New("the message was set aside")
	ErrLost          = errors.New("the content of the message is gone")
	ErrDeleted       = errors.New("the message was deleted from the queue by another tool")
	ErrRolledBack    = errors.New("the content of the message is gone since Redis has started again")
	ErrRateWait      = errors.New("the account's own sending limit is used up for now")
	ErrBusyWait      = errors.New("all connections of the account are busy")
	ErrBusyTest      = errors.New("no connection of the account was free for a test")
	ErrDownWait      = errors.New("the account's server is down and is not asked yet")
	ErrNotAllowed    = fmt.Errorf("this system does not connect there: %w", ErrSettings)
	ErrSealed        = fmt.Errorf("the message is sealed, and this worker has no key to it: %w", ErrSettings)
	ErrTokenRefused  = errors.New("the server has refused the access token, and there is no other")
	ErrMisplaced     = fmt.Errorf("the secret was entered for another server or login: %w", ErrSettings)
)

// A kind is what a Go error means for a mail.
type kind string

const (
	kindUnanswered  kind = "unanswered" // the mail is out, the answer is not in
	kindCanceled    kind = "canceled"   // shutdown
	kindSettings    kind = "settings"
	kindNoSTARTTLS  kind = "no_starttls"
	kindNoAuth      kind = "no_auth"
	kindCostlyLogin kind = "costly_login"
	kindTooLarge    kind = "too_large"
	kindNeedsUTF8   kind = "needs_utf8"
	kindExpired     kind = "expired"
	kindMalformed   kind = "malformed"
	kindUnwritten   kind = "unwritten"
	kindInterrupted kind = "interrupted"
	kindArchived    kind = "archived"
	kindGone        kind = "gone"
	kindDeleted     kind = "deleted"
	kindRolledBack  kind = "rolled_back"
	kindRateWait    kind = "rate_wait"
	kindBusyWait    kind = "busy_wait"
	kindBusyTest    kind = "busy_test"
	kindDownWait    kind = "down_wait"
	kindBadAddress  kind = "bad_address"
	kindNotAllowed  kind = "not_allowed"
	kindMisplaced   kind = "misplaced" // a secret in settings for which it was not entered
	kindSealed      kind = "sealed"    // a mail for keys that this worker does not hold
	kindDNSNotFound kind = "dns_not_found"
	kindDNS         kind = "dns"
	kindRecord      kind = "tls_record" // the other side does not speak TLS
	kindAuthority   kind = "cert_authority"
	kindCertName    kind = "cert_name"
	kindCertExpired kind = "cert_expired"
	kindCert        kind = "cert"
	kindRoots       kind = "system_roots"
	kindTLS         kind = "tls"
	kindRefused     kind = "refused"
	kindUnreachable kind = "unreachable"
	kindDialTimeout kind = "dial_timeout"
	kindTimeout     kind = "timeout"
	kindLost        kind = "lost"
	kindProtocol    kind = "protocol" // not SMTP
	kindDial        kind = "dial"     // any other trouble while connecting
	kindOther       kind = "other"
)

func kinds() []kind {
	return []kind{
		kindUnanswered, kindCanceled, kindSettings, kindNoSTARTTLS, kindNoAuth, kindCostlyLogin, kindTooLarge, kindNeedsUTF8,
		kindExpired, kindUnwritten, kindMalformed, kindInterrupted, kindArchived, kindGone, kindDeleted, kindRolledBack, kindRateWait, kindBusyWait, kindBusyTest, kindDownWait,
		kindBadAddress, kindNotAllowed, kindMisplaced, kindSealed, kindDNSNotFound, kindDNS, kindRecord, kindAuthority, kindCertName, kindCertExpired, kindCert, kindRoots, kindTLS, kindRefused, kindUnreachable, kindDialTimeout, kindTimeout, kindLost,
		kindProtocol, kindDial, kindOther,
	}
}

// kindOf reads an error that came without a reply.
func kindOf(err error, stage Stage) kind {
	k := kindOfError(err)
	switch stage {
	case StageDot:
		// RFC 1047: whatever broke, the server may have the mail.
		return kindUnanswered
	case StageAPI:
		switch k {
		case kindCanceled, kindTimeout, kindLost:
			return kindUnanswered
		}
	}
	return k
}

func kindOfError(err error) kind {
	sentinels := []struct {
		err  error
		kind kind
	}{
		{context.Canceled, kindCanceled},
		{ErrNotAllowed, kindNotAllowed},
		{ErrMisplaced, kindMisplaced},
		{ErrSealed, kindSealed},
		{ErrSettings, kindSettings},
		{ErrNoSTARTTLS, kindNoSTARTTLS},
		{ErrNoAuth, kindNoAuth},
		{ErrCostlyLogin, kindCostlyLogin},
		{ErrTooLarge, kindTooLarge},
		{ErrNeedsSMTPUTF8, kindNeedsUTF8},
		{ErrExpired, kindExpired},
		{ErrUnwritten, kindUnwritten},
		{ErrMalformed, kindMalformed},
		{ErrInterrupted, kindInterrupted},
		{ErrArchived, kindArchived},
		{ErrLost, kindGone},
		{ErrDeleted, kindDeleted},
		{ErrRolledBack, kindRolledBack},
		{ErrRateWait, kindRateWait},
		{ErrBusyWait, kindBusyWait},
		{ErrBusyTest, kindBusyTest},
		{ErrDownWait, kindDownWait},
		{rohrpost.ErrAddress, kindBadAddress},
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.kind
		}
	}
	if k := kindOfTLS(err); k != "" {
		return k
	}
	return kindOfNetwork(err)
}

// kindOfTLS reads handshake and certificate errors; "" is none.
func kindOfTLS(err error) kind {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired { // also: not valid yet
			return kindCertExpired
		}
		return kindCert
	}
	switch {
	case isType[x509.UnknownAuthorityError](err):
		return kindAuthority
	case isType[x509.HostnameError](err):
		return kindCertName
	case isType[x509.SystemRootsError](err):
		return kindRoots
	case isType[*tls.CertificateVerificationError](err), isType[x509.ConstraintViolationError](err):
		return kindCert
	case isType[tls.RecordHeaderError](err):
		return kindRecord
	case isType[tls.AlertError](err):
		return kindTLS
	}
	// The handshake's other errors have no type: "remote error: tls: handshake
	// failure", "tls: server selected unsupported protocol version 301".
	if e, ok := errors.AsType[*net.OpError](err); ok && (e.Op == "remote error" || e.Op == "local error") {
		return kindTLS
	}
	if strings.Contains(err.Error(), "tls: ") && !isTimeout(err) {
		return kindTLS
	}
	return ""
}

func kindOfNetwork(err error) kind {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if e.IsNotFound {
			return kindDNSNotFound
		}
		return kindDNS
	}
	op, _ := errors.AsType[*net.OpError](err)
	dialing := op != nil && op.Op == "dial"
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case slices.ContainsFunc(errnoRefused(), is):
		return kindRefused
	case slices.ContainsFunc(errnoUnreachable(), is):
		return kindUnreachable
	case isTimeout(err) && dialing:
		return kindDialTimeout
	case isTimeout(err):
		return kindTimeout
	case dialing:
		return kindDial
	case is(io.EOF), is(io.ErrUnexpectedEOF), is(net.ErrClosed), slices.ContainsFunc(errnoLost(), is):
		return kindLost
	case isType[textproto.ProtocolError](err):
		return kindProtocol
	case op != nil:
		return kindLost
	}
	return kindOther
}

// isTimeout covers net.Error, os.ErrDeadlineExceeded and context.DeadlineExceeded.
func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
