package branding_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

// TestValidateS5 names every field that a look can get wrong (row S5).
func TestValidateS5(t *testing.T) {
	t.Parallel()
	png := encoded(t, "png", 60, 20)
	for name, c := range map[string]struct {
		look branding.Look
		want []string // the beginnings of the errors
	}{
		"nothing":                     {},
		"PNG":                         {look: branding.Look{Logo: branding.Logo{Content: png, ContentType: "image/png", Alt: "Acme", Width: 600}}},
		"JPEG":                        {look: branding.Look{Logo: branding.Logo{Content: encoded(t, "jpeg", 60, 20)}}},
		"GIF":                         {look: branding.Look{Logo: branding.Logo{Content: encoded(t, "gif", 60, 20), ContentType: "image/gif"}}},
		"logo of 256 KiB":             {look: branding.Look{Logo: branding.Logo{Content: padded(png, 256<<10)}}},
		"logo too large":              {branding.Look{Logo: branding.Logo{Content: padded(png, 256<<10+1)}}, []string{"branding.logo.content: 262145 bytes, at most 262144"}},
		"no picture":                  {branding.Look{Logo: branding.Logo{Content: []byte("GIF89a")}}, []string{"branding.logo.content: is no PNG, JPEG or GIF"}},
		"SVG by type":                 {branding.Look{Logo: branding.Logo{Content: []byte("<svg/>"), ContentType: "image/svg+xml"}}, []string{"branding.logo.content_type: mail programs do not show SVG: use PNG"}},
		"SVG by content":              {branding.Look{Logo: branding.Logo{Content: []byte(`<?xml?><svg xmlns="…"/>`)}}, []string{"branding.logo.content: mail programs do not show SVG"}},
		"SVG that says PNG":           {branding.Look{Logo: branding.Logo{Content: []byte(`<svg/>`), ContentType: "image/png"}}, []string{"branding.logo.content: mail programs do not show SVG"}},
		"other type":                  {branding.Look{Logo: branding.Logo{ContentType: "image/webp"}}, []string{`branding.logo.content_type: "image/webp" is not one of`}},
		"type of another picture":     {branding.Look{Logo: branding.Logo{Content: png, ContentType: "image/gif"}}, []string{"branding.logo.content_type: is image/gif, but the picture is image/png"}},
		"too wide":                    {branding.Look{Logo: branding.Logo{Width: 601}}, []string{"branding.logo.width: 601 is not within 0 to 600 px"}},
		"negative width":              {branding.Look{Logo: branding.Logo{Width: -1}}, []string{"branding.logo.width: -1"}},
		"company of two lines":        {branding.Look{Company: "a\r\nb"}, []string{"branding.company: must be one line of at most 256 bytes"}},
		"long company":                {branding.Look{Company: strings.Repeat("x", 257)}, []string{"branding.company: "}},
		"alt not UTF-8":               {branding.Look{Logo: branding.Logo{Alt: "\xff"}}, []string{"branding.logo.alt: "}},
		"color by name":               {branding.Look{Colors: branding.Colors{Background: "white"}}, []string{`branding.colors.background: "white" is not a color like #0b5cad`}},
		"short color":                 {branding.Look{Colors: branding.Colors{Card: "#fff"}}, []string{"branding.colors.card: "}},
		"color with more":             {branding.Look{Colors: branding.Colors{Text: "#000000;x:y"}}, []string{"branding.colors.text: "}},
		"color without digits":        {branding.Look{Colors: branding.Colors{Accent: "#00000g"}}, []string{"branding.colors.accent: "}},
		"color without #":             {branding.Look{Colors: branding.Colors{Footer: "0000000"}}, []string{"branding.colors.footer: "}},
		"gray on white, too light":    {branding.Look{Colors: branding.Colors{Text: "#777777"}}, []string{"branding.colors.text: #777777 on the card #ffffff has a contrast of 4.47:1, at least 4.5:1"}},
		"gray on white, dark enough":  {look: branding.Look{Colors: branding.Colors{Text: "#767676"}}},
		"capital digits":              {look: branding.Look{Colors: branding.Colors{Text: "#00AAFF", Card: "#000000", Accent: "#FFFFFF"}}},
		"accent like the card":        {branding.Look{Colors: branding.Colors{Accent: "#ffffff"}}, []string{"branding.colors.accent: #ffffff on the card #ffffff has a contrast of 1.00:1"}},
		"footer like the page":        {branding.Look{Colors: branding.Colors{Background: "#123456", Footer: "#654321"}}, []string{"branding.colors.footer: #654321 on the background #123456"}},
		"only the page is dark":       {look: branding.Look{Colors: branding.Colors{Background: "#000033"}}},
		"only the page is gray":       {look: branding.Look{Colors: branding.Colors{Background: "#767676"}}},
		"21 lines":                    {branding.Look{Footer: branding.Footer{Lines: make([]string, 21)}}, []string{"branding.footer.lines: 21 lines, at most 20"}},
		"a line with a break":         {branding.Look{Footer: branding.Footer{Lines: []string{"a", "b\nc"}}}, []string{"branding.footer.lines[1]: "}},
		"https":                       {look: branding.Look{Footer: branding.Footer{Link: "https://acme.example/impressum?a=b#c", LinkText: "Impressum"}}},
		"mailto":                      {look: branding.Look{Footer: branding.Footer{Link: "mailto:a@b.example"}}},
		"http":                        {branding.Look{Footer: branding.Footer{Link: "http://acme.example/"}}, []string{"branding.footer.link: must be an https or mailto URL"}},
		"script":                      {branding.Look{Footer: branding.Footer{Link: "javascript:alert(1)"}}, []string{"branding.footer.link: "}},
		"no host":                     {branding.Look{Footer: branding.Footer{Link: "https:///x"}}, []string{"branding.footer.link: "}},
		"another host than it seems":  {branding.Look{Footer: branding.Footer{Link: "https://bank.example@evil.example/"}}, []string{"branding.footer.link: "}},
		"mail to nobody":              {branding.Look{Footer: branding.Footer{Link: "mailto:"}}, []string{"branding.footer.link: "}},
		"link with a line break":      {branding.Look{Footer: branding.Footer{Link: "https://a.example/\nb"}}, []string{"branding.footer.link: "}},
		"text of the link, two lines": {branding.Look{Footer: branding.Footer{LinkText: "a\nb"}}, []string{"branding.footer.link_text: "}},
		"several": {
			branding.Look{Company: "\x00", Colors: branding.Colors{Text: "x", Card: "y"}, Footer: branding.Footer{Link: "z"}},
			[]string{"branding.company", "branding.colors.card", "branding.colors.text", "branding.footer.link"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.look.Validate()
			var lines []string
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(c.want) {
				t.Fatalf("%d errors, want %d: %v", len(lines), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("%q, want %q", lines[i], want)
				}
			}
			var field *rohrpost.FieldError
			if err != nil && !errors.As(err, &field) {
				t.Errorf("%T is no FieldError", err)
			}
		})
	}
}

func padded(b []byte, size int) []byte { return append(bytes.Clone(b), make([]byte, size-len(b))...) }

// TestContrast has figures of WebAIM's and the W3C's own examples.
func TestContrast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"#000000", "#ffffff", 21},
		{"#ffffff", "#000000", 21},
		{"#123456", "#123456", 1},
		{"#777777", "#ffffff", 4.478},
		{"#767676", "#ffffff", 4.542},
		{"#ff0000", "#ffffff", 3.998},
		{"#0000ff", "#ffffff", 8.592},
		{"#00ff00", "#ffffff", 1.372},
	} {
		if got := branding.Contrast(c.a, c.b); math.Abs(got-c.want) > 0.001 {
			t.Errorf("%s on %s: %f, want %f", c.a, c.b, got, c.want)
		}
	}
}

// TestDefaultFooter: whatever the page's color is, its text can be read.
func TestDefaultFooter(t *testing.T) {
	t.Parallel()
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				look := branding.Look{Colors: branding.Colors{Background: fmt.Sprintf("#%02x%02x%02x", r, g, b)}}
				if err := look.Validate(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	look := looks(t)["night"]
	look.Enabled = false
	preview := func(lang string) string {
		var b bytes.Buffer
		if err := look.Preview(&b, lang); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	de := preview("de")
	for _, want := range []string{"Mit freundlichen Grüßen", `src="data:image/png;base64,iVBOR`, "Night Shift Logistics Ltd.", "<title>Ihre Rechnung 4711</title>"} {
		if !strings.Contains(de, want) {
			t.Errorf("%s is missing in %.3000s", want, de)
		}
	}
	if strings.Contains(de, "cid:") || look.Enabled {
		t.Error("the file needs another part, or the look was changed")
	}
	if diff := cmp.Diff(de, preview("de-AT")); diff != "" {
		t.Error(diff)
	}
	if en := preview("fr"); !strings.Contains(en, "Kind regards") || en != preview("en") {
		t.Error("not English")
	}
	look.Company = "\n"
	var b bytes.Buffer
	if err := look.Preview(&b, "de"); err == nil || b.Len() > 0 {
		t.Errorf("%v and %d bytes for a look that is not valid", err, b.Len())
	}
	if err := (&branding.Look{}).Preview(fullDisk{}, "de"); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
