package payload

import "strings"

// pendingDomain is the right side of a Message-ID until the mail leaves for the first
// time, when it becomes the sender's domain. No mail server has such a name (RFC 2606
// §2), and an older worker can send it as it is.
const pendingDomain = "rohrpost.invalid"

// PendingMessageID is a Message-ID of which the left side alone is known.
func PendingMessageID(left string) string { return "<" + left + "@" + pendingDomain + ">" }

// IsPending reports whether the right side of a Message-ID is still to be decided.
func IsPending(messageID string) bool { return strings.HasSuffix(messageID, "@"+pendingDomain+">") }

// KnownMessageID is a Message-ID as people are told it: empty while it is pending.
func KnownMessageID(messageID string) string {
	if IsPending(messageID) {
		return ""
	}
	return messageID
}

// Decide is a Message-ID with this domain in place of a pending one.
func Decide(messageID, domain string) string {
	if !IsPending(messageID) {
		return messageID
	}
	left, _, _ := strings.Cut(messageID, "@")
	return left + "@" + domain + ">"
}
