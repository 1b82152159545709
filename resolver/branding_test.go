package resolver_test

import (
	"bytes"
	"fmt"
	"image"
	imagepng "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/resolver"
)

// png is a picture of one pixel.
func png(t *testing.T) resolver.Image {
	t.Helper()
	var b bytes.Buffer
	if err := imagepng.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// base64 is a picture as accounts.yaml writes it.
func base64(t *testing.T, i resolver.Image) string {
	t.Helper()
	text, err := i.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBrandingInFile is S5: every key arrives in the look of the tenant's mails.
func TestBrandingInFile(t *testing.T) {
	t.Parallel()
	f := load(t, fmt.Sprintf(`tenants:
  acme:
    branding:
      enabled: true
      company: ACME GmbH
      logo: %s
      logo_alt: the logo
      logo_width: 120
      colors: {background: "#ffffff", card: "#fefefe", text: "#000000", accent: "#000001", footer: "#000002"}
      footer: {lines: [ACME GmbH, Hauptstr. 1], link: https://acme.example/, link_text: Imprint}
    users: {max: {}}
  globex: {}
`, base64(t, png(t))))
	want := &resolver.Branding{
		Enabled: true, Company: "ACME GmbH", Logo: png(t), LogoAlt: "the logo", LogoWidth: 120,
		Colors: resolver.BrandingColors{Background: "#ffffff", Card: "#fefefe", Text: "#000000", Accent: "#000001", Footer: "#000002"},
		Footer: resolver.BrandingFooter{Lines: []string{"ACME GmbH", "Hauptstr. 1"}, Link: "https://acme.example/", LinkText: "Imprint"},
	}
	for _, user := range []string{"", "max", "unknown"} {
		if diff := cmp.Diff(want, candidates(t, f, "acme", user).Branding); diff != "" {
			t.Errorf("user %q: %s", user, diff)
		}
	}
	for _, tenant := range []string{"", "globex", "unknown"} {
		if got := candidates(t, f, tenant, "max").Branding; got != nil {
			t.Errorf("tenant %q wears %+v", tenant, got)
		}
	}
}

// TestLogoFile: a picture that is not there is missing from the mails, and stops
// none.
func TestLogoFile(t *testing.T) {
	t.Parallel()
	const text = `platform: {address: a@platform.example, smtp: {host: h.example}}
tenants:
  acme:
    branding: {enabled: true, company: ACME, logo_file: logo.png}
`
	path := file(t, text)
	logo := filepath.Join(filepath.Dir(path), "logo.png")
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := path + ":4: tenant/acme: the logo cannot be read: stat " + logo + ": no such file or directory: mails go without it"
	if diff := cmp.Diff([]string{want}, f.Warnings()); diff != "" {
		t.Error(diff)
	}
	if look := candidates(t, f, "acme", "").Branding; look == nil || !look.Enabled || look.Company != "ACME" || len(look.Logo) > 0 {
		t.Errorf("look is %+v", look)
	}
	if err := os.WriteFile(logo, png(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err != nil {
		t.Fatal(err)
	}
	if look := candidates(t, f, "acme", "").Branding; !bytes.Equal(look.Logo, png(t)) || len(f.Warnings()) > 0 {
		t.Errorf("look is %+v, warnings %q", look, f.Warnings())
	}
	write(t, logo, "<svg/>")
	if err := f.Reload(); err == nil || !strings.Contains(err.Error(), "mail programs do not show SVG") {
		t.Errorf("a logo that no mail shows: %v", err)
	}
}

// TestBrandingProblems names the keys as they are written.
func TestBrandingProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, branding, want string }{
		{"no base64", "{logo: '%%%'}", "branding.logo: is no base64"},
		{"no picture", "{logo: SGFsbG8=}", "branding.logo: is no PNG, JPEG or GIF picture"},
		{"width", "{logo_width: 601}", "branding.logo_width: 601 is not within 0 to 600 px"},
		{"text of the logo", `{logo_alt: "a\nb"}`, "branding.logo_alt: must be one line of at most 256 bytes"},
		{"company", `{company: "a\nb"}`, "branding.company: must be one line of at most 256 bytes"},
		{"color", "{colors: {text: black}}", `branding.colors.text: "black" is not a color like #0b5cad`},
		{"footer", `{footer: {lines: [ok, "a\nb"]}}`, "branding.footer.lines[1]: must be one line of at most 256 bytes"},
		{"link", "{footer: {link: 'http://acme.example'}}", "branding.footer.link: must be an https or mailto URL of at most 1000 bytes"},
		{"unknown key", "{logo_url: x}", "branding.logo_url: unknown key; known here are colors, company, enabled, footer, logo, logo_alt, logo_file, logo_width"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := resolver.ParseEntry("f.yaml", []byte("admin_address: it@acme.example\nbranding: "+tt.branding), resolver.Tenant)
			if err == nil || err.Error() != "f.yaml:2: "+tt.want {
				t.Errorf("error is %v", err)
			}
		})
	}
}
