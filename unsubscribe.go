package rohrpost

import (
	"net/url"
	"strings"
)

// Unsubscribe is how a recipient gets out of a list: mail programs show a button for
// it (RFC 2369 §3.2). Big providers want it, with OneClick, of everybody who sends
// much.
type Unsubscribe struct {
	// URL is an address https://… at which the recipient unsubscribes.
	URL string `json:"url,omitempty"`
	// Mailto is an address to which a mail unsubscribes; it may have a subject:
	// "out@acme.example?subject=4711".
	Mailto string `json:"mailto,omitempty"`
	// OneClick says that a POST to URL unsubscribes without any question (RFC 8058).
	OneClick bool `json:"one_click,omitempty"`
}

// maxLink is what fits on one line of a header, in bytes.
const maxLink = 880

func (v *validator) unsubscribe(u *Unsubscribe) {
	if u == nil {
		return
	}
	switch {
	case u.URL == "" && u.Mailto == "":
		v.fail("unsubscribe", "has no url and no mailto")
	case u.OneClick && u.URL == "":
		v.fail("unsubscribe.url", "missing: one_click needs it")
	}
	if u.URL != "" {
		link, err := url.Parse(u.URL)
		switch {
		case !isLink(u.URL):
			v.fail("unsubscribe.url", "at most %d characters of ASCII, without spaces, quotation marks, angle brackets and the like: those are percent-encoded", maxLink)
		case err != nil || link.Host == "" || !strings.EqualFold(link.Scheme, "https"):
			v.fail("unsubscribe.url", "is no address https://…")
		}
	}
	if u.Mailto != "" {
		address, _, _ := strings.Cut(u.Mailto, "?")
		switch {
		case !isLink(u.Mailto):
			v.fail("unsubscribe.mailto", "at most %d characters of ASCII, without spaces, quotation marks, angle brackets and the like: those are percent-encoded", maxLink)
		case CheckAddress(address) != nil:
			v.fail("unsubscribe.mailto", "%v", CheckAddress(address))
		case strings.ContainsAny(address, "%&,"):
			v.fail("unsubscribe.mailto", "its address has a percent sign, & or a comma, which mean something else in a link")
		}
	}
}

// isLink reports whether s can stand between angle brackets in a header: characters of
// RFC 3986 §2 alone, on one line.
func isLink(s string) bool {
	const punctuation = "-._~:/?#[]@!$&'()*+,;=%"
	return s != "" && len(s) <= maxLink && !strings.ContainsFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(punctuation, r)
	})
}

// Fields are the header fields that say so; nil has none.
func (u *Unsubscribe) Fields() []Header {
	if u == nil {
		return nil
	}
	var links []string
	if u.URL != "" {
		links = append(links, "<"+u.URL+">")
	}
	if u.Mailto != "" {
		links = append(links, "<mailto:"+u.Mailto+">")
	}
	fields := []Header{{Name: "List-Unsubscribe", Value: strings.Join(links, ", ")}}
	if u.OneClick {
		fields = append(fields, Header{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"})
	}
	return fields
}
