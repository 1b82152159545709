package branding

import (
	"bytes"
	"cmp"
	"image"
	_ "image/gif"  // with JPEG and PNG, what every mail program shows
	_ "image/jpeg" // see GIF
	_ "image/png"  // see GIF
	"slices"
	"strings"
)

// A Look is a tenant's branding. The zero value is valid and does nothing; with
// Enabled alone, mails get a plain card.
type Look struct {
	Enabled bool
	Company string // one line; stands above the card if there is no logo
	Logo    Logo
	Colors  Colors
	Footer  Footer
}

// A Logo is a picture above the card. Without Content there is none.
type Logo struct {
	Content     []byte // PNG, JPEG or GIF, at most 256 KiB
	ContentType string // empty: as Content says
	Alt         string // what is read where no picture is shown; empty: Company
	Width       int    // in CSS px, at most 600; 0: its own, but within 240 x 96
}

// Colors are written #rrggbb.
type Colors struct {
	Background string // the page; empty: #f2f4f7
	Card       string // under the mail; empty: #ffffff
	Text       string // of the mail; empty: #1f2933
	Accent     string // links and the bar on the card; empty: #0b5cad
	Footer     string // of the footer, on the page; empty: a quiet one that can be read
}

// A Footer stands below the card.
type Footer struct {
	Lines    []string // plain text, at most 20 lines
	Link     string   // such as the imprint: an https or mailto URL
	LinkText string   // empty: Link without its scheme
}

// withDefaults is for a valid look.
func (l *Look) withDefaults() Look {
	out := *l
	out.Logo = l.Logo.withDefaults()
	out.Logo.Alt = cmp.Or(l.Logo.Alt, l.Company)
	out.Colors = l.Colors.withDefaults()
	if out.Footer.LinkText == "" {
		text := strings.TrimPrefix(strings.TrimPrefix(l.Footer.Link, "mailto:"), "https://")
		out.Footer.LinkText = strings.TrimSuffix(text, "/")
	}
	return out
}

const (
	defaultBackground = "#f2f4f7"
	defaultCard       = "#ffffff"
	defaultText       = "#1f2933"
	defaultAccent     = "#0b5cad"

	defaultLogoWidth  = 240
	defaultLogoHeight = 96
)

func (c Colors) withDefaults() Colors {
	c.Background = cmp.Or(c.Background, defaultBackground)
	c.Card = cmp.Or(c.Card, defaultCard)
	c.Text = cmp.Or(c.Text, defaultText)
	c.Accent = cmp.Or(c.Accent, defaultAccent)
	if c.Footer == "" {
		c.Footer = readable(c.Background, blend(c.Text, c.Background), c.Text, c.Card)
	}
	return c
}

func (l Logo) withDefaults() Logo {
	if len(l.Content) == 0 {
		return Logo{}
	}
	size, format := l.decode()
	l.ContentType = "image/" + format
	if l.Width == 0 {
		l.Width = min(size.Width, defaultLogoWidth, max(1, size.Width*defaultLogoHeight/size.Height))
	}
	return l
}

// decode is the size in pixels and "png", "jpeg" or "gif"; "" for anything else.
func (l Logo) decode() (image.Config, string) {
	size, format, err := image.DecodeConfig(bytes.NewReader(l.Content))
	if err != nil || !slices.Contains([]string{"png", "jpeg", "gif"}, format) || size.Width < 1 || size.Height < 1 {
		return image.Config{}, ""
	}
	return size, format
}
