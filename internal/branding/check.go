package branding

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rohrpost/rohrpost"
)

const (
	maxLogo  = 256 << 10 // bytes
	maxWidth = 600       // px, of the logo as of the card
	maxLine  = 256       // bytes
	maxLines = 20
	maxLink  = 1000 // bytes
)

// Validate finds what keeps the look from being used, switched on or not. The
// error joins one *rohrpost.FieldError per problem ("branding.colors.text"); nil
// means that mails can wear it.
func (l *Look) Validate() error {
	var c checker
	c.line("company", l.Company)
	c.logo(&l.Logo)
	c.colors(l.Colors)
	c.footer(&l.Footer)
	return errors.Join(c.errs...)
}

type checker struct{ errs []error }

func (c *checker) fail(field, format string, args ...any) {
	c.errs = append(c.errs, &rohrpost.FieldError{Field: "branding." + field, Problem: fmt.Sprintf(format, args...)})
}

func (c *checker) line(field, s string) {
	if strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) || len(s) > maxLine {
		c.fail(field, "must be one line of at most %d bytes", maxLine)
	}
}

func (c *checker) logo(l *Logo) {
	c.line("logo.alt", l.Alt)
	if l.Width < 0 || l.Width > maxWidth {
		c.fail("logo.width", "%d is not within 0 to %d px", l.Width, maxWidth)
	}
	switch l.ContentType {
	case "", "image/png", "image/jpeg", "image/gif":
	case "image/svg+xml":
		c.fail("logo.content_type", "mail programs do not show SVG: use PNG")
		return
	default:
		c.fail("logo.content_type", "%.60q is not one of image/png, image/jpeg, image/gif", l.ContentType)
		return
	}
	if len(l.Content) == 0 {
		return
	}
	if len(l.Content) > maxLogo {
		c.fail("logo.content", "%d bytes, at most %d", len(l.Content), maxLogo)
		return
	}
	switch _, format := l.decode(); {
	case format == "" && bytes.Contains(l.Content, []byte("<svg")):
		c.fail("logo.content", "mail programs do not show SVG: use PNG")
	case format == "":
		c.fail("logo.content", "is no PNG, JPEG or GIF picture")
	case l.ContentType != "" && l.ContentType != "image/"+format:
		c.fail("logo.content_type", "is %s, but the picture is image/%s", l.ContentType, format)
	}
}

func (c *checker) colors(given Colors) {
	before := len(c.errs)
	for _, f := range [...]struct{ field, color string }{
		{"background", given.Background}, {"card", given.Card}, {"text", given.Text}, {"accent", given.Accent}, {"footer", given.Footer},
	} {
		if _, ok := parseColor(f.color); !ok && f.color != "" {
			c.fail("colors."+f.field, "%.60q is not a color like #0b5cad", f.color)
		}
	}
	if len(c.errs) > before {
		return
	}
	colors := given.withDefaults()
	c.contrast("text", colors.Text, "card", colors.Card)
	c.contrast("accent", colors.Accent, "card", colors.Card)
	c.contrast("footer", colors.Footer, "background", colors.Background)
}

func (c *checker) contrast(field, color, groundField, ground string) {
	if ratio := contrast(color, ground); ratio < minContrast {
		c.fail("colors."+field, "%s on the %s %s has a contrast of %.2f:1, at least %.1f:1 is needed to read it",
			color, groundField, ground, math.Floor(ratio*100)/100, minContrast)
	}
}

func (c *checker) footer(f *Footer) {
	if len(f.Lines) > maxLines {
		c.fail("footer.lines", "%d lines, at most %d", len(f.Lines), maxLines)
	}
	for i, line := range f.Lines {
		c.line(fmt.Sprintf("footer.lines[%d]", i), line)
	}
	c.line("footer.link_text", f.LinkText)
	if f.Link != "" && !isLink(f.Link) {
		c.fail("footer.link", "must be an https or mailto URL of at most %d bytes", maxLink)
	}
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxLink || !utf8.ValidString(s) {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Hostname() != "" && u.User == nil
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	}
	return false
}
