// Package headerfield knows the header fields that an application may set: what their
// values are made of, and which of them a mail has once.
//
// The message is checked by it when it is accepted, and written by it when it leaves,
// so that what is accepted can be written.
package headerfield

import (
	"errors"
	"net/mail"
	"regexp"
	"strings"

	"github.com/rohrpost/rohrpost/internal/idn"
)

// Kind is what the value of a field is made of.
type Kind int

// The kinds.
const (
	Text       Kind = iota // RFC 5322 §3.2.5 unstructured: any characters
	Phrases                // RFC 5322 §3.6.5 keywords: phrases between commas
	Addresses              // RFC 5322 §3.4 mailbox-list
	MessageIDs             // RFC 5322 §3.6.4 msg-ids, between blanks
	Links                  // RFC 2369 §2, RFC 5064: links in angle brackets, comments beside them
	ListID                 // RFC 2919 §3: a phrase and a name in angle brackets
	Token                  // words of ASCII
)

// KindOf is the kind of a field; its name is in lower case.
func KindOf(name string) Kind {
	switch name {
	case "in-reply-to", "references":
		return MessageIDs
	case "disposition-notification-to":
		return Addresses
	case "keywords":
		return Phrases
	case "list-id":
		return ListID
	case "list-unsubscribe", "list-subscribe", "list-help", "list-post", "list-owner", "list-archive", "archived-at":
		return Links
	case "list-unsubscribe-post", "importance", "priority", "precedence", "auto-submitted", "sensitivity", "content-language", "feedback-id":
		return Token
	}
	return Text
}

// Once reports whether a mail has the field at most once. Of msg-ids two fields become
// one list; the name is in lower case.
func Once(name string) bool {
	return KindOf(name) != MessageIDs && !strings.HasPrefix(name, "x-") && name != "comments" && name != "keywords" && name != "archived-at"
}

// maxWord is the longest word that is not encoded, in bytes: it fits on a line of 998
// with the longest name.
const maxWord = 900

// The refusals of Check.
var (
	errAddresses = errors.New("is no list of addresses")
	errNoASCII   = errors.New("has an address that cannot be written in ASCII")
	errIDs       = errors.New("is no list of ids as <left@right>, with blanks between them")
	errLinks     = errors.New("is no list of links as <https://…> in ASCII, with commas between them")
	errListID    = errors.New("is no list id as: Name <list.example.org>")
	errOneClick  = errors.New("is not List-Unsubscribe=One-Click, the only value that RFC 8058 knows")
	errToken     = errors.New("has something else than words of ASCII")
	errWord      = errors.New("has a word of more than 900 bytes, which cannot be written on a line")
)

// Check says why a value cannot be that of the field; nil: it can. The value is one
// line of UTF-8 without control characters; the name is in lower case.
func Check(name, value string) error {
	switch KindOf(name) {
	case Addresses:
		_, err := ParseAddresses(value)
		return err
	case MessageIDs:
		if !idsPattern.MatchString(strings.TrimSpace(value)) {
			return errIDs
		}
	case Links:
		if name == "list-post" && strings.TrimSpace(value) == "NO" {
			return nil
		}
		if !idn.ASCII(value) || !linksPattern.MatchString(strings.TrimSpace(value)) {
			return errLinks
		}
	case ListID:
		if !listIDPattern.MatchString(strings.TrimSpace(value)) {
			return errListID
		}
	case Token:
		switch {
		case name == "list-unsubscribe-post" && strings.TrimSpace(value) != "List-Unsubscribe=One-Click":
			return errOneClick
		case !idn.ASCII(value), strings.Contains(value, "=?"):
			return errToken
		}
	case Text, Phrases:
		return nil // whatever it is, it can be encoded
	}
	if longWord(value) {
		return errWord
	}
	return nil
}

var (
	idsPattern    = regexp.MustCompile(`^<[^<>@[:^graph:]]+@[^<>@[:^graph:]]+>([ \t]*<[^<>@[:^graph:]]+@[^<>@[:^graph:]]+>)*$`)
	linksPattern  = regexp.MustCompile(`^(\([^()\\[:^print:]]*\) *)?<[^<>[:^graph:]]+>( *\([^()\\[:^print:]]*\))?( *, *<[^<>[:^graph:]]+>( *\([^()\\[:^print:]]*\))?)*$`)
	listIDPattern = regexp.MustCompile(`^[^<>]*<[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]+>$`)
)

func longWord(value string) bool {
	for word := range strings.FieldsSeq(value) {
		if len(word) > maxWord {
			return true
		}
	}
	return false
}

// ParseAddresses reads a mailbox-list.
func ParseAddresses(value string) ([]*mail.Address, error) {
	list, err := mail.ParseAddressList(value)
	if err != nil {
		return nil, errAddresses
	}
	for _, a := range list {
		written, needsUTF8, err := idn.Address(a.Address)
		if err != nil || needsUTF8 || strings.ContainsAny(written, " \t\"<>(),:;\\") {
			return nil, errNoASCII
		}
		a.Address = written
	}
	return list, nil
}
