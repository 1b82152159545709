package resolver

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

// Branding is a tenant's look as it is written down. It is worn by the tenant's
// HTML mails, through whichever account they leave.
type Branding struct {
	Enabled   bool           `json:"enabled,omitempty"`
	Company   string         `json:"company,omitempty"`
	Logo      Image          `json:"logo,omitempty"`
	LogoFile  string         `json:"logo_file,omitempty"` // accounts.yaml alone
	LogoAlt   string         `json:"logo_alt,omitempty"`
	LogoWidth int            `json:"logo_width,omitempty"` // CSS px
	Colors    BrandingColors `json:"colors,omitzero"`
	Footer    BrandingFooter `json:"footer,omitzero"`
}

// BrandingColors are written #rrggbb; empty is the default.
type BrandingColors struct {
	Background string `json:"background,omitempty"`
	Card       string `json:"card,omitempty"`
	Text       string `json:"text,omitempty"`
	Accent     string `json:"accent,omitempty"`
	Footer     string `json:"footer,omitempty"`
}

// BrandingFooter stands below the mail.
type BrandingFooter struct {
	Lines    []string `json:"lines,omitempty"`
	Link     string   `json:"link,omitempty"` // https or mailto
	LinkText string   `json:"link_text,omitempty"`
}

// An Image is a PNG, JPEG or GIF, written in base64.
type Image []byte

// MarshalText writes base64.
func (i Image) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, i), nil
}

// UnmarshalText reads base64.
func (i *Image) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("is no base64")
	}
	*i = b
	return nil
}

// problems are those of the look, by the keys under which they are written.
func (b *Branding) problems() []error {
	var errs []error
	written := strings.NewReplacer("branding.logo.content", "branding.logo", "branding.logo.", "branding.logo_")
	look := branding.Look{
		Enabled: b.Enabled, Company: b.Company, Logo: branding.Logo{Content: b.Logo, Alt: b.LogoAlt, Width: b.LogoWidth},
		Colors: branding.Colors(b.Colors), Footer: branding.Footer(b.Footer),
	}
	for _, err := range fieldErrors(look.Validate()) {
		errs = append(errs, &rohrpost.FieldError{Field: written.Replace(err.Field), Problem: err.Problem})
	}
	return errs
}
