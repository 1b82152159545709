package branding

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var (
	errLarge   = errors.New("the HTML is larger than 1 MiB")
	errDeep    = errors.New("the HTML is nested too deeply")
	errDense   = errors.New("the HTML has too many tags, or too many that are not closed")
	errFragile = errors.New("the HTML reads differently each time")
)

// maxDepth leaves room for the frame: parsers give up, or flatten, at 512.
const maxDepth = 480

// A document is a mail's own HTML.
type document struct {
	page    *html.Node // the element html
	head    *html.Node
	body    *html.Node
	ruled   bool // a style sheet has rules for body
	colored bool // it sets colors for its whole page
	fragile bool // it may read differently once written
}

// wholePage finds what a fragment does not have.
var wholePage = regexp.MustCompile(`(?i)<(html|head|body|frameset|title|meta|base|link)\b`)

// read takes whole documents and fragments. In an open body a fragment stays
// together, and a frameset counts for nothing.
func read(source string) (*document, error) {
	if tooDense(source) {
		return nil, errDense
	}
	d := &document{}
	if wholePage.MatchString(source) {
		if err := d.parse("", source); err != nil {
			return nil, err
		}
	}
	if d.body == nil {
		if err := d.parse("<body>", source); err != nil {
			return nil, err
		}
	}
	if err := d.mend(d.page, 0); err != nil {
		return nil, err
	}
	d.colored = d.colored || hasColors(d.body)
	return d, nil
}

func (d *document) parse(prefix, source string) error {
	root, err := parse(prefix, source)
	if err != nil {
		return err
	}
	var before []*html.Node // comments; they may hold half a table for Outlook
	for n := range root.Descendants() {
		switch {
		case n.DataAtom == atom.Html && n.Parent == root:
			d.page = n
		case n.DataAtom == atom.Head && n.Parent == d.page:
			d.head = n
		case n.DataAtom == atom.Body && n.Parent == d.page:
			d.body = n
		case n.Type == html.CommentNode && d.body == nil && (n.Parent == root || n.Parent == d.page):
			before = append(before, n)
		}
		if d.body != nil {
			break
		}
	}
	if d.body == nil {
		return nil
	}
	first := d.body.FirstChild
	for _, n := range before {
		n.Parent.RemoveChild(n)
		d.body.InsertBefore(n, first)
	}
	return nil
}

// parse reads in standards mode, for that is how the page will be read again,
// and without scripts, as mail programs do: noscript is shown.
func parse(prefix, source string) (*html.Node, error) {
	r := io.MultiReader(strings.NewReader("<!DOCTYPE html>"+prefix), strings.NewReader(source))
	return html.ParseWithOptions(r, html.ParseOptionEnableScripting(false))
}

// revealed is a conditional comment whose content everybody sees ("<![if !mso]>"),
// as the parser leaves it.
var revealed = regexp.MustCompile(`^\[(if [\w !()|]*|endif)\]$`)

// mend replaces what cannot be written down as it was read, takes scripts away
// and sees to the style sheets.
func (d *document) mend(n *html.Node, depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	for c := n.FirstChild; c != nil; {
		child := c
		c = c.NextSibling
		switch {
		case child.Type == html.CommentNode && revealed.MatchString(child.Data):
			child.Type, child.Data = html.RawNode, "<!"+child.Data+">"
		case child.Type != html.ElementNode:
		case child.Data == "script" && !isData(child):
			n.RemoveChild(child)
		case child.Data == "style" && child.Namespace == "":
			d.mendSheet(child)
		default:
			d.mendElement(child)
			if err := d.mend(child, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *document) mendElement(n *html.Node) {
	switch n.DataAtom {
	case atom.Plaintext: // has no end tag
		n.DataAtom, n.Data = atom.Pre, "pre"
	case atom.Noscript: // is text or tags, as the reader likes
		n.DataAtom, n.Data = atom.Div, "div"
	case atom.Template:
		d.fragile = true
	}
	d.fragile = d.fragile || n.Namespace != ""
}

// mendSheet renames body in a style sheet and moves it to the head, where Gmail
// looks for it.
func (d *document) mendSheet(style *html.Node) {
	for t := range style.ChildNodes() {
		text, ruled, colored := renameBody(t.Data)
		t.Data = text
		d.ruled = d.ruled || ruled
		d.colored = d.colored || colored
	}
	if style.Parent != d.head {
		style.Parent.RemoveChild(style)
		d.head.AppendChild(style)
	}
}

// isData tells scripts that are none: Gmail and Outlook read JSON-LD. After
// "<!--<script" even "</script>" may be part of a script.
func isData(script *html.Node) bool {
	return strings.EqualFold(attribute(script, "type"), "application/ld+json") && !strings.Contains(textOf(script), "<!--")
}

func (d *document) title() string {
	for n := range d.head.ChildNodes() {
		if n.DataAtom == atom.Title {
			return strings.TrimSpace(textOf(n))
		}
	}
	return ""
}

// headHTML is what of the head belongs to the mail and not to its page.
func (d *document) headHTML() (string, error) {
	var b strings.Builder
	for n := range d.head.ChildNodes() {
		switch n.DataAtom {
		case atom.Title, atom.Meta, atom.Div, atom.Template, atom.Noframes:
			continue
		}
		if err := html.Render(&b, n); err != nil {
			return "", fmt.Errorf("head: %w", err)
		}
	}
	return b.String(), nil
}

// textOf is for title and script, which hold one text.
func textOf(n *html.Node) string {
	if n.FirstChild == nil {
		return ""
	}
	return n.FirstChild.Data
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}
