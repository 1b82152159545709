package plaintext

import "strings"

// maxLink is the longest address that is written out, in bytes: nobody reads a longer
// one, and a mail may have many.
const maxLink = 2000

// A link is an element a that is open.
type link struct {
	address string
	from    int // where its text begins
}

func (l *link) open(href string, at int) { l.address, l.from = strings.TrimSpace(href), at }

// close is what stands behind the text of the link: its address, unless the text is
// the address, or it is none for people.
func (l *link) close(text string) string {
	address := l.address
	l.address = ""
	shown := strings.TrimPrefix(strings.TrimPrefix(address, "mailto:"), "tel:")
	text = strings.TrimSpace(text)
	switch {
	case !followed(address), len(address) > maxLink, strings.ContainsAny(address, " \t\r\n<>"):
		return ""
	case strings.EqualFold(text, shown), strings.EqualFold(strings.TrimSuffix(bare(text), "/"), strings.TrimSuffix(bare(address), "/")):
		return ""
	case text == "":
		return shown
	}
	return " (" + shown + ")"
}

func bare(address string) string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	return rest
}

// followed reports whether people can follow an address outside of the mail.
func followed(address string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(address), ":")
	switch scheme {
	case "http", "https", "mailto", "tel":
		return true
	}
	return false
}
