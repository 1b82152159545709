package rohrpost

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/rohrpost/rohrpost/internal/headerfield"
)

var headerNamePattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,76}$`)

// knownHeaders are the names besides X-… and List-… that an application may
// set. Every other name is written by the worker or by the servers on the way.
var knownHeaders = map[string]bool{
	"in-reply-to": true, "references": true, "importance": true, "priority": true, "precedence": true,
	"keywords": true, "comments": true, "organization": true, "feedback-id": true, "auto-submitted": true,
	"disposition-notification-to": true, "sensitivity": true, "content-language": true, "archived-at": true,
}

func (v *validator) headers(headers []Header, u *Unsubscribe) {
	there := map[string]bool{}
	for _, h := range u.Fields() {
		there[strings.ToLower(h.Name)] = true
	}
	if len(headers) > maxHeaders {
		v.fail("headers", "%d fields, at most %d", len(headers), maxHeaders)
	}
	for i, h := range headers {
		field := fmt.Sprintf("headers[%d]", i)
		name := strings.ToLower(h.Name)
		switch {
		case !headerNamePattern.MatchString(h.Name):
			v.fail(field+".name", "letters, digits and hyphens only, 1 to 76")
		case !knownHeaders[name] && !strings.HasPrefix(name, "x-") && !strings.HasPrefix(name, "list-"):
			v.fail(field+".name", "unknown or reserved header name %q", h.Name)
		case addressesOthers(name):
			v.fail(field+".name", "%q can make a mail provider send to others: to, cc and bcc say who gets a mail", h.Name)
		}
		if there[name] && headerfield.Once(name) {
			v.fail(field+".name", "%q is there twice", h.Name)
		}
		there[name] = true
		v.headerValue(field+".value", name, h.Value)
	}
}

// headerValue checks what a field of this name, in lower case, can hold.
func (v *validator) headerValue(field, name, value string) {
	before := len(v.problems)
	v.line(field, value, maxHeaderValue)
	if len(v.problems) > before {
		return
	}
	if err := headerfield.Check(name, value); err != nil {
		v.fail(field, "%v", err)
	}
}

// providerOrders are the fields by which a provider takes orders in JSON, recipients
// among them: SendGrid's, SparkPost's.
var providerOrders = map[string]bool{"x-smtpapi": true, "x-msys-api": true}

// recipientWords are those of which the name of a field consists that speaks of
// recipients: X-MC-BccAddress (Mandrill), X-Envelope-To, X-Rcpt-To, X-Cc.
var recipientWords = map[string]bool{
	"to": true, "cc": true, "bcc": true, "bccaddress": true, "ccaddress": true, "rcpt": true, "rcpts": true,
	"recipient": true, "recipients": true, "envelope": true, "preserverecipients": true,
}

// addressesOthers reports whether a provider may read recipients out of a field of this
// name, which is in lower case. Those of knownHeaders are none of them.
func addressesOthers(name string) bool {
	if knownHeaders[name] {
		return false
	}
	for word := range strings.SplitSeq(name, "-") {
		if recipientWords[word] {
			return true
		}
	}
	return providerOrders[name]
}
