package accept

import (
	"strings"

	"github.com/rohrpost/rohrpost"
)

// Warning is what speaks against a message that is accepted all the same, in one
// sentence; empty: nothing.
func Warning(m *rohrpost.Message) string {
	if !lacksUnsubscribe(m) {
		return ""
	}
	return "a mail of many that does not say how to unsubscribe: big providers refuse such mails, or file them as spam"
}

// lacksUnsubscribe reports whether a mail of many has no List-Unsubscribe: big providers
// demand one of those who send to thousands (RFC 8058). What is in raw says itself.
func lacksUnsubscribe(m *rohrpost.Message) bool {
	many := m.Category == rohrpost.Marketing || m.Priority == rohrpost.Bulk
	if !many || m.Unsubscribe != nil || len(m.Raw) > 0 {
		return false
	}
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, "List-Unsubscribe") {
			return false
		}
	}
	return true
}
