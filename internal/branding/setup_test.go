package branding_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
)

// picture draws a disc and a bar, which looks like a logo, on transparent ground.
func picture(width, height int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	disc, bar := color.NRGBA{R: 0xd9, G: 0x48, B: 0x0f, A: 0xff}, color.NRGBA{R: 0x1b, G: 0x4d, B: 0x3e, A: 0xff}
	r := height / 2
	for y := range height {
		for x := range height {
			if (x-r)*(x-r)+(y-r)*(y-r) < r*r {
				img.Set(x, y, disc)
			}
		}
	}
	draw.Draw(img, image.Rect(height+height/4, height/3, width, height-height/3), image.NewUniform(bar), image.Point{}, draw.Src)
	return img
}

func encoded(t testing.TB, format string, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch img := picture(width, height); format {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, nil)
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// looks are quite different from each other, and all valid.
func looks(t testing.TB) map[string]*branding.Look {
	t.Helper()
	return map[string]*branding.Look{
		"plain": {Enabled: true},
		"name": {
			Enabled: true, Company: "Acme GmbH",
			Footer: branding.Footer{Lines: []string{"Acme GmbH · Musterweg 1 · 12345 Musterstadt", "Amtsgericht Musterstadt, HRB 4711"}, Link: "https://acme.example/impressum"},
		},
		"wide logo": {
			Enabled: true, Company: "Wald & Wiese eG", Logo: branding.Logo{Content: encoded(t, "png", 1200, 120), Width: 600},
			Colors: branding.Colors{Background: "#e8efe6", Card: "#fffdf7", Text: "#23301f", Accent: "#1b6b3a"},
			Footer: branding.Footer{Lines: []string{"Wald & Wiese eG", "Am Forst 3, 98765 Grünau"}, Link: "mailto:post@wald.example"},
		},
		"night": {
			Enabled: true, Company: "Night Shift Logistics", Logo: branding.Logo{Content: encoded(t, "png", 600, 100), Alt: "Night Shift"},
			Colors: branding.Colors{Background: "#0b1020", Card: "#161d33", Text: "#e6e9f2", Accent: "#7cc4ff"},
			Footer: branding.Footer{Lines: []string{"Night Shift Logistics Ltd., 24 Dock Road, London"}, Link: "https://night.example/", LinkText: "Legal notice"},
		},
		"dark page, light card, long name": {
			Enabled: true, Company: "Gesellschaft für Rindfleischetikettierungsüberwachungsaufgabenübertragung und Donaudampfschifffahrt mbH & Co. KG",
			Colors: branding.Colors{Background: "#5a1029", Accent: "#a3123f"},
			Footer: branding.Footer{Lines: []string{strings.Repeat("Rindfleischetikettierungsüberwachung", 4), "Bei Rückfragen: +49 30 123456"}, Link: "https://example.org/" + strings.Repeat("impressum", 20)},
		},
	}
}

const newsletter = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html lang="de"><head><title>Frühling bei uns</title>
<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"><meta name="color-scheme" content="light dark">
<style type="text/css">
body { margin: 0; padding: 0; background: #dfe7ef; font-family: Georgia, serif; color: #203040; }
table { border-collapse: collapse; width: 100% }
td { padding: 10px; border: 3px dotted #c00; background: #ffe }
img { width: 100% }
a { color: #b00020 } .button { color: #fff; background: #b00020; padding: 12px 20px; text-decoration: none }
@media (prefers-color-scheme: dark) { .headline { text-transform: uppercase } }
</style></head>
<body class="outer" bgcolor="#dfe7ef"><table width="600" align="center"><tr><td><h1 class="headline">Frühling</h1>
<p>Alles neu macht der Mai. <a href="https://example.org/">Mehr davon</a></p><p><a class="button" href="https://example.org/">Jetzt ansehen</a></p>
</td></tr></table></body></html>`

func wrap(t testing.TB, l *branding.Look, source string) string {
	t.Helper()
	m := &rohrpost.Message{HTML: source}
	out, err := l.Wrap(m)
	if err != nil {
		t.Fatalf("not branded: %v: %.200q", err, source)
	}
	return out.HTML
}

func parse(t testing.TB, source string) *html.Node {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(false))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func class(n *html.Node) string { return attr(n, "class") }

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
