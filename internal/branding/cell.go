package branding

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// bodyClass is what body became.
const bodyClass = "rohrpost-body"

// cell writes the body as the cell of a table. After this the document is used up.
func (d *document) cell(colors Colors) (string, error) {
	style := attribute(d.body, "style")
	if !d.ruled {
		style = d.style(colors) + style
	}
	attrs := []html.Attribute{
		{Key: "class", Val: strings.TrimSpace(bodyClass + " " + attribute(d.body, "class"))},
		{Key: "bgcolor", Val: d.ground()},
		{Key: "style", Val: style},
		{Key: "id", Val: attribute(d.body, "id")},
		{Key: "lang", Val: cmp.Or(attribute(d.body, "lang"), attribute(d.page, "lang"))},
		{Key: "dir", Val: d.direction()},
	}
	d.body.Data, d.body.DataAtom, d.body.Attr = "td", atom.Td, nil
	for _, a := range attrs {
		if a.Val != "" {
			d.body.Attr = append(d.body.Attr, a)
		}
	}
	var b strings.Builder
	if err := html.Render(&b, d.body); err != nil {
		return "", fmt.Errorf("body: %w", err)
	}
	return b.String(), nil
}

// sheet holds what the mail's own rules for body may replace, which nothing can
// that stands in an attribute.
func (d *document) sheet(colors Colors) string {
	if !d.ruled {
		return ""
	}
	return "<style>." + bodyClass + "{" + d.style(colors) + "}</style>\n"
}

// style is how the cell looks if the mail does not want it otherwise. With
// colors of its own it starts from the black on white that they were made for.
func (d *document) style(colors Colors) string {
	ground, text, align := d.ground(), colors.Text, "left"
	if d.colored {
		text = cmp.Or(oldColor(attribute(d.body, "text")), "#000000")
	}
	if ground != "" {
		ground = "background-color:" + ground + ";"
	}
	if strings.EqualFold(d.direction(), "rtl") {
		align = "right"
	}
	return "padding:24px;border:0;" + ground + "color:" + text +
		";font-family:Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;text-align:" + align +
		";vertical-align:top;word-wrap:break-word;"
}

func (d *document) direction() string {
	return cmp.Or(attribute(d.body, "dir"), attribute(d.page, "dir"))
}

// ground is empty where the card shows.
func (d *document) ground() string {
	if !d.colored {
		return ""
	}
	return cmp.Or(oldColor(attribute(d.body, "bgcolor")), "#ffffff")
}

func hasColors(body *html.Node) bool {
	style := strings.ToLower(attribute(body, "style"))
	return attribute(body, "bgcolor") != "" || attribute(body, "text") != "" || attribute(body, "background") != "" ||
		strings.Contains(style, "background") || strings.Contains(style, "color")
}

var (
	hexColor   = regexp.MustCompile(`^#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})$`)
	namedColor = regexp.MustCompile(`^[a-zA-Z]{3,20}$`)
)

// oldColor is the color of an attribute as CSS writes it, or "".
func oldColor(s string) string {
	s = strings.TrimSpace(s)
	if hex := hexColor.FindStringSubmatch(s); hex != nil {
		return "#" + hex[1]
	}
	return namedColor.FindString(s)
}

// holds reads a page once more and tells whether the cell is still in its place.
func holds(page, cell string) bool {
	root, err := parse("", page)
	if err != nil {
		return false
	}
	for n := range root.Descendants() {
		if n.DataAtom != atom.Td || !strings.HasPrefix(attribute(n, "class"), bodyClass) {
			continue
		}
		var b strings.Builder
		return html.Render(&b, n) == nil && b.String() == cell
	}
	return false
}
